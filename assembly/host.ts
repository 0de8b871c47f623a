/** Version of the exports and of the memory layouts they read; docs and hosts name it. */
export function abiVersion(): u32 {
  return 1;
}

/** The first address a host may use: everything below belongs to the module. */
export function heapBase(): usize {
  return __heap_base;
}
