"""What was forgotten, in words."""

from tiercast.flows.forget import Forgotten
from tiercast.render.output import stdout


def show_forgotten(gone: Forgotten) -> None:
    """What was erased, and what Tiercast may not touch."""
    console = stdout()
    console.print(
        f"Erased {gone.videos:,} videos, {gone.observations:,} observations, {gone.rejects:,} rejected rows, "
        f"{gone.predictions:,} predictions."
    )
    if gone.left_in_table:
        console.print(
            f"{gone.left_in_table:,} rows of the table scraped_videos still hold them. Tiercast never changes that "
            "table: delete them there, or the next retrain reads them again."
        )
    console.print("Releases keep no rows, only the hash of all rows together; retrain to learn without them.")
