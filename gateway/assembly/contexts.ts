/*
 * What the host calls contexts: one for every configured filter (root) and one for every stream. A hash table from id to
 * one word, open addressing, at most half full; it shrinks by deleting, and grows with the streams that are open at once.
 */
const ENTRY: usize = 8;
let capacity: u32 = 0;
let used: u32 = 0;
let table: usize = 0;

// @ts-ignore: decorator
@inline
function place(id: u32): u32 {
  return (id * 0x9e3779b1) & (capacity - 1);
}

// @ts-ignore: decorator
@inline
function entry(index: u32): usize {
  return table + (<usize>index) * ENTRY;
}

/** index of the id, or of the free entry where it belongs */
function find(id: u32): u32 {
  let i = place(id);
  while (load<u32>(entry(i)) && load<u32>(entry(i)) != id) i = (i + 1) & (capacity - 1);
  return i;
}

/** The word of a context; 0 for one that was never set. Ids start at 1. */
export function getContext(id: u32): u32 {
  return capacity ? load<u32>(entry(find(id)), 4) : 0;
}

export function setContext(id: u32, word: u32): void {
  if (used * 2 >= capacity) grow();
  const at = entry(find(id));
  if (!load<u32>(at)) used++;
  store<u32>(at, id);
  store<u32>(at, word, 4);
}

export function deleteContext(id: u32): void {
  if (!capacity) return;
  let hole = find(id);
  if (!load<u32>(entry(hole))) return;
  used--;
  // entries after the hole move up when their place lies at or before it
  for (let i = hole; ; ) {
    i = (i + 1) & (capacity - 1);
    const other = load<u32>(entry(i));
    if (!other) break;
    if (((i - place(other)) & (capacity - 1)) >= ((i - hole) & (capacity - 1))) {
      store<u64>(entry(hole), load<u64>(entry(i)));
      hole = i;
    }
  }
  store<u64>(entry(hole), 0);
}

function grow(): void {
  const old = table;
  const end = old + (<usize>capacity) * ENTRY;
  capacity = capacity ? capacity * 2 : 64;
  table = heap.alloc((<usize>capacity) * ENTRY);
  memory.fill(table, 0, (<usize>capacity) * ENTRY);
  used = 0;
  for (let at = old; at < end; at += ENTRY) if (load<u32>(at)) setContext(load<u32>(at), load<u32>(at, 4));
  if (old) heap.free(old);
}
