"""`voxtrace duties` that remove what has had its time all the time, where others do it hourly.

python -m tests.support.hasty_retention duties
"""

from typing import Final

from app.cli.main import main
from app.duties import retention

#: Seconds between two rounds.
ROUND_S: Final = 0.3

if __name__ == "__main__":
    for name in ("ROUND_S", "IDLE_S"):
        setattr(retention, name, ROUND_S)
    main()
