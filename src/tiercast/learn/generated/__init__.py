"""Generated videos with stated distributions, and the best accuracy that anyone can reach on them."""

from tiercast.learn.generated.before_posting import ideal_before_posting
from tiercast.learn.generated.ideal import IdealForecast, best_possible_accuracy, ideal_forecast
from tiercast.learn.generated.videos import Generated, generate
from tiercast.learn.generated.world import REGULAR, WORLD, EngagementRate, World

__all__ = [
    "REGULAR",
    "WORLD",
    "EngagementRate",
    "Generated",
    "IdealForecast",
    "World",
    "best_possible_accuracy",
    "generate",
    "ideal_before_posting",
    "ideal_forecast",
]
