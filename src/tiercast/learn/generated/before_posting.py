"""The ideal forecast of the moment ``draft``: whoever knew each creator's true audience, and nothing of luck.

Log views at an age are the usual ones plus creator effect, draft effect, growth and the luck of the single video.
Features show the draft effect; earlier posts show the creator effect the better the more there are, and never wholly.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy.stats import norm

from tiercast.learn.generated.ideal import IdealForecast
from tiercast.learn.generated.videos import Generated


def ideal_before_posting(generated: Generated, asked: pl.DataFrame, edges: Sequence[int]) -> IdealForecast:
    """Tier probabilities of the views ``label_views`` at ``label_age_days`` of these videos, in their order.

    ``asked`` has platform, video_id, label_views and label_age_days. No model can expect to beat it: what it knows of
    creators and growth, a model has to learn from scrapes.
    """
    known = asked.join(generated.latent, on=["platform", "video_id"], how="left", maintain_order="left")
    hours = known["label_age_days"].to_numpy() * 24
    grown = np.log(hours / (hours + known["half_hours"].to_numpy()))
    centre = np.log(generated.world.usual_views) + known["creator_effect"].to_numpy() + grown
    centre += known["draft_effect"].to_numpy()
    bounds = np.log(np.asarray(edges) + 0.5)
    below = norm.cdf((bounds - centre[:, None]) / generated.world.video_log_sd)
    ends = np.hstack([np.zeros((len(centre), 1)), below, np.ones((len(centre), 1))])
    actual = 1 + (known["label_views"].to_numpy()[:, None] > np.asarray(edges)).sum(axis=1)
    return IdealForecast(asked.select("platform", "video_id"), np.diff(ends, axis=1), actual)
