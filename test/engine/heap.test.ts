import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Heap, PlainMemory } from '../../bindings/heap.ts';
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
        const alive: { address: number; bytes: number; mark: number }[] = [];
        for (const [step, value] of list.entries()) {
          if (value < 0) {
            const [block] = alive.splice(-value % Math.max(1, alive.length), 1);
            if (block) heap.release(block.address);
            continue;
          }
          const address = heap.allocate(value, 'a block');
          expect(address % 16).toBe(0);
          expect(address).toBeGreaterThan(0);
          const mark = step % 251;
          for (const other of alive) {
            const apart = address + value <= other.address || other.address + other.bytes <= address;
            expect(apart || value === 0 || other.bytes === 0).toBe(true);
            expect(address).not.toBe(other.address);
          }
          heap.u8.fill(mark, address, address + value);
          alive.push({ address, bytes: value, mark });
        }
        const u8 = heap.u8;
        for (const { address, bytes, mark } of alive) {
          if (bytes === 0) continue;
          expect(u8[address]).toBe(mark);
          expect(u8[address + bytes - 1]).toBe(mark);
        }
        for (const { address } of alive) heap.release(address);
        expect(heap.bytesInUse).toBe(floor);
      }),
      { numRuns: 100 },
    );
    // everything came back as one piece: the whole memory fits a single block
    const before = heap.memory.buffer.byteLength;
    const first = heap.allocate(1, 'the first');
    const rest = heap.allocate(before - first - 16, 'the rest');
    expect(rest).toBe(first + 16);
    expect(heap.memory.buffer.byteLength).toBe(before);
    heap.release(rest);
    heap.release(first);
  });

  test('a gap is taken by the block that fits it best', () => {
    const { heap } = make();
    const blocks = [1000, 16, 200, 16, 500, 16].map((bytes) => heap.allocate(bytes, 'a block'));
    for (const i of [0, 2, 4]) heap.release(blocks[i]);
    expect(heap.allocate(190, 'a block')).toBe(blocks[2]);
    expect(heap.allocate(400, 'a block')).toBe(blocks[4]);
    expect(heap.allocate(900, 'a block')).toBe(blocks[0]);
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
      expect(heap.allocate(192, 'a block')).toBe(blocks[0]);
    }
  });

  test('every view is renewed', () => {
    const { heap } = make();
    const old = [heap.f32, heap.f64, heap.u8, heap.u16, heap.u32];
    const address = heap.allocate(1 << 20, 'a large block');
    const views = [heap.f32, heap.f64, heap.u8, heap.u16, heap.u32];
    views.forEach((view, i) => {
      // compared here: vitest would print the old view, which WebAssembly has detached
      expect(view === old[i]).toBe(false);
      expect(view.buffer).toBe(heap.memory.buffer);
      expect(view.constructor).toBe(old[i].constructor);
    });
    heap.release(address);
  });
});

test('what cannot be given back is ignored: an address never handed out, or inside a block', () => {
  const heap = new Heap(new PlainMemory(), 16);
  const a = heap.allocate(64, 'a');
  heap.release(a + 16);
  heap.release(0);
  heap.release(12345);
  expect(heap.bytesInUse).toBe(64);
  expect(heap.allocate(16, 'b')).toBe(a + 64);
});

test('address 0, which means "absent" to the kernels, is never handed out', () => {
  expect(new Heap(new PlainMemory(), 16).allocate(16, 'a')).toBeGreaterThan(0);
});
