/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/* remove_tree.h - remove a folder with everything in it */
#ifndef CCDM_REMOVE_TREE_H
#define CCDM_REMOVE_TREE_H

/**
 * ccdm_remove_tree() - remove a folder with everything in it, as far as that is possible
 * @path: of the folder; a link is not followed
 *
 * Each step goes from an open folder to a name in it. Nothing outside of the folder is removed, also
 * if another process renames or replaces folders below it at the same time. Links are removed and not
 * followed; mounts stay.
 */
void ccdm_remove_tree(const char *path);

#endif
