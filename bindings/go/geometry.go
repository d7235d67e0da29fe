// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors

package ccdm

const (
	blockSize    = 4096
	blockSectors = blockSize / 512
	nodeEntries  = 128
	maxBlocks    = 1<<52 - 1
)

// total returns the blocks that a mapping with this many data blocks uses on its
// device: the data and all levels of the tree. blocks is 1 to maxBlocks.
func total(blocks uint64) uint64 {
	sum, n := blocks, blocks
	for {
		n = (n + nodeEntries - 1) / nodeEntries
		sum += n
		if n == 1 {
			return sum
		}
	}
}

// fit returns the most data blocks that fit, with their tree, on a device of this many
// blocks. It is 0 if the device is too small. It is ccdm_geometry_fit() of
// kmod/ccdm_format.h.
func fit(device uint64) uint64 {
	low, high := uint64(0), device
	if high > maxBlocks {
		high = maxBlocks
	}
	for low < high {
		middle := low + (high-low+1)/2
		if total(middle) > device {
			high = middle - 1
		} else {
			low = middle
		}
	}
	return low
}
