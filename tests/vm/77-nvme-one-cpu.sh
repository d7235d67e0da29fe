#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# The same in a VM with one CPU: completions only in hard interrupts.
# disks: 64M
# device: nvme
# cpus: 1
. /ccdm/tests/lib/nvme.sh
nvme
