"""Generated videos with stated distributions, and the best accuracy that anyone can reach on them."""

from tiercast.learn.generated.ideal import IdealForecast, best_possible_accuracy, ideal_forecast
from tiercast.learn.generated.videos import Generated, generate
from tiercast.learn.generated.world import WORLD, EngagementRate, World

__all__ = [
    "WORLD",
    "EngagementRate",
    "Generated",
    "IdealForecast",
    "World",
    "best_possible_accuracy",
    "generate",
    "ideal_forecast",
]
