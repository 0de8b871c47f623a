import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Block, Heap, PlainMemory } from '../../bindings/heap.ts';
import { implementations } from './kernels.ts';

describe.each(implementations)('the heap of %s', (_, make) => {
  test('blocks are aligned, never overlap, keep their content while the memory grows; all freed, none is in use', () => {
    // sizes of new blocks; a negative number frees the block of that index among those alive
    const steps = fc.array(fc.oneof(fc.nat(100_000), fc.nat(64), fc.integer({ min: -50, max: -1 })), {
      maxLength: 120,
    });
    const { heap } = make();
    const floor = heap.bytesInUse;
    fc.assert(
      fc.property(steps, (list) => {
        const alive: { block: Block; address: number; bytes: number; mark: number }[] = [];
        for (const [step, value] of list.entries()) {
          if (value < 0) {
            const [gone] = alive.splice(-value % Math.max(1, alive.length), 1);
            if (gone) heap.release(gone.block);
            continue;
          }
          const block = heap.allocate(value, 'a block');
          const { address } = block;
          expect(address % 16).toBe(0);
          expect(address).toBeGreaterThan(0);
          const mark = step % 251;
          for (const other of alive) {
            const apart = address + value <= other.address || other.address + other.bytes <= address;
            expect(apart || value === 0 || other.bytes === 0).toBe(true);
            expect(address).not.toBe(other.address);
          }
          heap.u8.fill(mark, address, address + value);
          alive.push({ block, address, bytes: value, mark });
        }
        const u8 = heap.u8;
        for (const { address, bytes, mark } of alive) {
          if (bytes === 0) continue;
          expect(u8[address]).toBe(mark);
          expect(u8[address + bytes - 1]).toBe(mark);
        }
        for (const { block } of alive) heap.release(block);
        expect(heap.bytesInUse).toBe(floor);
      }),
      { numRuns: 100 },
    );
    // everything came back as one piece: the whole memory fits a single block
    const before = heap.memory.buffer.byteLength;
    const first = heap.allocate(1, 'the first');
    const rest = heap.allocate(before - first.address - 16, 'the rest');
    expect(rest.address).toBe(first.address + 16);
    expect(heap.memory.buffer.byteLength).toBe(before);
    heap.release(rest);
    heap.release(first);
  });

  test('a gap is taken by the block that fits it best', () => {
    const { heap } = make();
    const blocks = [1000, 16, 200, 16, 500, 16].map((bytes) => heap.allocate(bytes, 'a block'));
    for (const i of [0, 2, 4]) heap.release(blocks[i]);
    expect(heap.allocate(190, 'a block').address).toBe(blocks[2].address);
    expect(heap.allocate(400, 'a block').address).toBe(blocks[4].address);
    expect(heap.allocate(900, 'a block').address).toBe(blocks[0].address);
  });

  test('neighbours become one gap, in whatever order they are given back', () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [0, 2, 1],
      [1, 0, 2],
    ]) {
      const { heap } = make();
      const blocks = [64, 64, 64, 16].map((bytes) => heap.allocate(bytes, 'a block'));
      for (const i of order) heap.release(blocks[i]);
      expect(heap.allocate(192, 'a block').address).toBe(blocks[0].address);
    }
  });

  test('every view is renewed', () => {
    const { heap } = make();
    const old = [heap.f32, heap.f64, heap.u8, heap.u16, heap.u32];
    const block = heap.allocate(1 << 20, 'a large block');
    const views = [heap.f32, heap.f64, heap.u8, heap.u16, heap.u32];
    views.forEach((view, i) => {
      // compared here: vitest would print the old view, which WebAssembly has detached
      expect(view === old[i]).toBe(false);
      expect(view.buffer).toBe(heap.memory.buffer);
      expect(view.constructor).toBe(old[i].constructor);
    });
    heap.release(block);
  });
});

test('a block given back a second time, or a look-alike, takes nothing from who has its memory now', () => {
  const heap = new Heap(new PlainMemory(), 16);
  const first = heap.allocate(64, 'a');
  heap.release(first);
  const second = heap.allocate(64, 'b');
  expect(second.address).toBe(first.address);
  heap.release(first);
  heap.release({ ...second });
  expect(heap.bytesInUse).toBe(64);
  expect(heap.allocate(64, 'c').address).toBe(second.address + 64);
});

test('what others left is cleared, unless nobody wants that', () => {
  const heap = new Heap(new PlainMemory(), 16);
  const dirty = heap.allocate(64, 'a');
  heap.u8.fill(7, dirty.address, dirty.address + 64);
  heap.release(dirty);
  const kept = heap.allocate(32, 'b', false);
  const cleared = heap.allocate(64, 'c');
  expect(heap.u8[kept.address]).toBe(7);
  expect(heap.u8.subarray(cleared.address, cleared.address + 64).every((byte) => byte === 0)).toBe(true);
});

test('address 0, which means "absent" to the kernels, is never handed out', () => {
  expect(new Heap(new PlainMemory(), 16).allocate(16, 'a').address).toBeGreaterThan(0);
});

test('where a lost thread may still write, nothing that is given back is handed out again', () => {
  const heap = new Heap(new PlainMemory(), 16);
  const first = heap.allocate(64, 'a');
  heap.keep();
  heap.release(first);
  expect(heap.allocate(64, 'b').address).toBe(first.address + 64);
});
