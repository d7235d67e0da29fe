# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""scenario_image - ccdm-image on disks that tests/program/image makes"""
import os
import sys

from harness import TOP
from broker import BIN      # after harness, which sets the programs' folder

sys.path.insert(0, os.path.join(TOP, "tests/program/image"))
import firmware as F  # noqa: E402


def image_files(t):
    """ccdm-image: each verb, as text and as JSON."""
    tool = [BIN + "/ccdm-image"]
    disk = F.disk(os.path.join(t.dir, "disk.img"), F.uki(), parts=("size=1M, uuid=44444444-4444-4444-8444-444444444444",))
    other = F.disk(os.path.join(t.dir, "other.img"), F.uki(cmdline="quiet"))
    logs = [os.path.join(t.dir, name) for name in ("firmware.log", "ccdm.log")]
    for path, data in zip(logs, (F.log(F.events(disk)), F.ccdm_log(F.measured()))):
        with open(path, "wb") as f:
            f.write(data)
    for more in [], ["--json"]:
        t.command(" ".join(["measure", *more]), tool + ["measure", disk, *more])
        t.command(" ".join(["inspect", *more]), tool + ["inspect", disk, *more])
        t.command(" ".join(["inspect --against", *more]), tool + ["inspect", disk, "--against", other, *more])
        t.command(" ".join(["verify", *more]), tool + ["verify", disk, "--event-log", logs[0], "--ccdm-log", logs[1], *more])
