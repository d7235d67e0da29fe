/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/* trace.h - tracepoints ccdm:*, which never show content, tags or keys */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ccdm

#if !defined(CCDM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define CCDM_TRACE_H

#include <linux/tracepoint.h>

/* All tracepoints have a name, a level and an index. */
DECLARE_EVENT_CLASS(ccdm_node,
	TP_PROTO(const char *name, unsigned int level, u64 index),
	TP_ARGS(name, level, index),
	TP_STRUCT__entry(
		__array(char, name, 32)
		__field(unsigned int, level)
		__field(u64, index)
	),
	TP_fast_assign(
		strscpy(__entry->name, name, sizeof(__entry->name));
		__entry->level = level;
		__entry->index = index;
	),
	TP_printk("%s level %u index %llu", __entry->name, __entry->level, __entry->index)
);

/* a node that was not in memory is entered */
DEFINE_EVENT(ccdm_node, ccdm_load,
	TP_PROTO(const char *name, unsigned int level, u64 index),
	TP_ARGS(name, level, index));

/* a node is written back */
DEFINE_EVENT(ccdm_node, ccdm_writeback,
	TP_PROTO(const char *name, unsigned int level, u64 index),
	TP_ARGS(name, level, index));

/* a block (level 0), leaf (1) or node did not verify and is read again */
DEFINE_EVENT(ccdm_node, ccdm_recheck,
	TP_PROTO(const char *name, unsigned int level, u64 index),
	TP_ARGS(name, level, index));

#endif /* CCDM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
