// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors

//! How many data blocks fit on a device.

/// Bytes of a block.
pub(crate) const BLOCK_SIZE: u64 = 4096;
/// Sectors of a block.
pub(crate) const BLOCK_SECTORS: u64 = BLOCK_SIZE / 512;
const NODE_ENTRIES: u64 = 128;
const MAX_BLOCKS: u64 = (1 << 52) - 1;

/// Blocks that a mapping with 1 to MAX_BLOCKS data blocks uses: the data and all levels of the tree.
fn total(blocks: u64) -> u64 {
    let (mut sum, mut n) = (blocks, blocks);
    loop {
        n = (n + NODE_ENTRIES - 1) / NODE_ENTRIES;
        sum += n;
        if n == 1 {
            return sum;
        }
    }
}

/// The most data blocks that fit, with their tree, on a device of this many blocks: 0 if it is
/// too small. It is `ccdm_geometry_fit()` of kmod/ccdm_format.h.
pub(crate) fn fit(device: u64) -> u64 {
    let (mut low, mut high) = (0, device.min(MAX_BLOCKS));
    while low < high {
        let middle = low + (high - low + 1) / 2;
        if total(middle) > device {
            high = middle - 1;
        } else {
            low = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::fit;

    /// The answers are those of `ccdm_geometry_fit()` in kmod/ccdm_format.h.
    #[test]
    fn known_answers() {
        let mut tests = 0;
        for line in include_str!("../tests/geometry.txt").lines() {
            if line.starts_with('#') {
                continue;
            }
            let (device, want) = line.split_once(' ').expect("two numbers");
            let device = device.parse().expect("a number");
            assert_eq!(fit(device), want.parse::<u64>().expect("a number"), "fit({})", device);
            tests += 1;
        }
        assert!(tests >= 500, "expected at least 500 known answers, found {}", tests);
    }
}
