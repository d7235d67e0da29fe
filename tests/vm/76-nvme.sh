#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# A device that completes in hard interrupts, with several queues and poll queues.
# disks: 64M
# device: nvme
# cpus: 4
# append: nvme.poll_queues=2
. /ccdm/tests/lib/nvme.sh
nvme poll
