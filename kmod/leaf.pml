/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/*
 * leaf.pml - one block, its leaf, and the leaf's entry in its parent (Promela, for spin)
 *
 * What runs at the same time: writers, readers, the cache that loads and evicts, write-back
 * (Documentation/explanation/concurrency.rst has the words). A content is the number of the
 * write that made it, a node on the device is a content and the number that it was sealed under. Every
 * step of the device is a step of its own; it may fail, with or without having stored.
 *
 * Without HOST nobody is hostile, and "tamper" is an error: assert(false). With HOST the host
 * puts back once, at any time, what stood on the device before, a block or a node; then
 * tamper may be found, and what is read must not be older than what was completed before.
 *
 * NO_... takes one rule away: each of them must make it fail (tests/kernel/model/run.py).
 */
#define WRITES	       2 /* in all, by two writers */
#define READS	       2
#ifdef HOST
#define BLOCK_FAILURES 1
#else
#define BLOCK_FAILURES 2 /* of the device: a write, and the same once more */
#endif
#define NODE_FAILURES  1
#define POISON	       99

#ifdef NO_PINS
#define UNPINNED true
#else
#define UNPINNED (pins == 0)
#endif
#ifdef NO_ONE_AT_A_TIME
#define MAY_BE_WRITTEN (node == CLEAN || node == WRITING)
#else
#define MAY_BE_WRITTEN (node == CLEAN)
#endif

mtype = { OUT, LOADING, CLEAN, WRITING, LEAVING };

/* memory */
mtype node = OUT;
bool dirty;
byte pins;
byte entry; /* of the block, in the leaf */
byte accepts; /* entry of the leaf, in the parent: the number it is sealed under */
byte sealed; /* numbers that were used */
bool busy; /* the block's mark */

/* the device */
byte block;
byte image; /* the leaf's only entry */
byte image_sealed;

/* what is known from outside */
byte begun, completed;
byte begun_writes;
byte block_failures, node_failures;
bool tamper;

inline found_tamper()
{
#ifndef HOST
	assert(false);
#endif
	tamper = true
}

/* A pin on the leaf; it is loaded if it is not there. */
inline get(seal, content)
{
	do
	:: tamper -> break
	:: atomic { !tamper && node == OUT -> node = LOADING; pins++ };
	   d_step { seal = image_sealed; content = image };
	   atomic {
		   if
#ifndef NO_VERIFIED_NODE
		   :: seal != accepts -> found_tamper()
#endif
		   :: else -> entry = content
		   fi;
		   dirty = false;
		   node = CLEAN
	   };
	   break
#ifdef NO_WAITING_FOR_LOADS
	:: atomic { !tamper && node == LOADING -> pins++ }; break
#endif
	:: atomic { !tamper && (node == CLEAN || node == WRITING) -> pins++ }; break
	od
}

inline put()
{
	pins--
}

/* ---- writers ----------------------------------------------------------------- */

/* Sets ok. Stored or not, it may fail. */
inline store_block(number)
{
	if
	:: d_step { block = number; ok = true }
	:: d_step { block_failures < BLOCK_FAILURES -> block = number; block_failures++; ok = false }
	:: d_step { block_failures < BLOCK_FAILURES -> block_failures++; ok = false }
	fi
}

proctype writer()
{
	byte number, seal, content;
	bool ok;

	do
	:: atomic { begun_writes < WRITES && !tamper -> begun_writes++ };
	   get(seal, content);
	   if
	   :: tamper -> break
	   :: else
	   fi;
#ifndef NO_MARKS
	   atomic { !busy -> busy = true };
#endif
	   d_step {
		   begun++;
		   number = begun;
		   entry = number;
		   dirty = true
	   };
#ifdef NO_MARKS_UNTIL_DONE
	   busy = false;
#endif
	   store_block(number);
	   if
	   :: !ok -> store_block(number) /* once more, the marks still held */
	   :: else
	   fi;
	   if
	   :: ok -> completed = (completed > number -> completed : number)
#ifndef NO_POISON
	   :: !ok -> d_step { entry = POISON; dirty = true }
#endif
	   :: else
	   fi;
#ifndef NO_MARKS
#ifndef NO_MARKS_UNTIL_DONE
	   busy = false;
#endif
#endif
	   d_step { put(); number = 0; seal = 0; content = 0; ok = false }
	:: else -> break
	od
}

/* ---- readers -------------------------------------------------------------------- */

proctype reader()
{
	byte data, want, before, n, seal, content;
	bool held, early;

	do
	:: n < READS && !tamper ->
	   n++;
	   before = completed;
	   /* A miss: the data may be read while the leaf is loaded, before it is verified. */
	   if
	   :: atomic { node == OUT || node == LOADING -> data = block; early = true }
	   :: early = false
	   fi;
	   get(seal, content);
	   if
	   :: tamper -> break
	   :: else
	   fi;
	   d_step { seal = 0; content = 0; held = false };
	   if
	   :: early -> goto compare
	   :: else
	   fi;
again:
	   data = block;
compare:
	   /* with the entry as it is when the data are there, and the leaf is verified */
#ifdef NO_VERIFIED_ENTRY
	   want = (early -> image : entry);
#else
	   want = entry;
#endif
	   if
	   :: want == POISON /* EIO */
	   :: want != POISON && want == data -> assert(data >= before)
#ifdef NO_RECHECK
	   :: want != POISON && want != data -> found_tamper()
#else
	   :: want != POISON && want != data && !held ->
#ifndef NO_MARKS_FOR_RECHECK
	      atomic { !busy -> busy = true };
#endif
	      held = true;
	      goto again
	   :: want != POISON && want != data && held ->
#ifdef NO_SECOND_COMPARISON
	      assert(data >= before)
#else
	      found_tamper()
#endif
#endif
	   fi;
	   if
#ifndef NO_MARKS_FOR_RECHECK
	   :: held -> busy = false
#endif
	   :: else
	   fi;
	   d_step { put(); data = 0; want = 0; before = 0; held = false; early = false }
	:: else -> break
	od
}

/* ---- the cache ---------------------------------------------------------------------- */

active proctype evict()
{
end:	do
	:: atomic {
		   node == CLEAN && !dirty && UNPINNED -> node = LEAVING
	   };
	   node = OUT
	od
}

/* Two of them: that one write of a node is under way at most is a rule. */
active [2] proctype writeback()
{
	byte number, content;
	bool ok;

end:	do
	:: atomic {
		   dirty && MAY_BE_WRITTEN -> node = WRITING;
#ifndef NO_DIRTY_AGAIN
		   dirty = false;
#endif
		   content = entry;
		   sealed++;
		   number = sealed
	   };
	   if
	   :: d_step { image = content; image_sealed = number; ok = true }
	   :: d_step {
		   node_failures < NODE_FAILURES -> node_failures++;
		   image = content;
		   image_sealed = number;
		   ok = false
	      }
	   :: d_step { node_failures < NODE_FAILURES -> node_failures++; ok = false }
	   fi;
#ifdef NO_PARENT_FIRST
	   node = CLEAN;
#endif
	   if
	   :: ok -> accepts = number
#ifndef NO_KEEPING_THE_FAILED
	   :: !ok -> dirty = true
#endif
	   :: else
	   fi;
#ifdef NO_DIRTY_AGAIN
	   dirty = false;
#endif
#ifndef NO_PARENT_FIRST
	   node = CLEAN;
#endif
	   d_step { number = 0; content = 0; ok = false }
	od
}

#ifdef HOST
/* What stood there before, once. */
active proctype host()
{
	byte old_block, old_image, old_sealed;

	d_step {
		old_block = block;
		old_image = image;
		old_sealed = image_sealed
	};
	if
	:: block = old_block
	:: d_step { image = old_image; image_sealed = old_sealed }
	:: d_step { block = old_block; image = old_image; image_sealed = old_sealed }
	fi
}
#endif

init
{
	atomic {
		run writer();
		run writer();
		run reader()
	}
}
