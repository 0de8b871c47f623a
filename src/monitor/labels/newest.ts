import { refuse } from '../../../bindings/errors.ts';
import { tell } from '../../../bindings/names.ts';
import { finite, whole } from '../check.ts';

/** What is held under a key. */
interface Entry<Item> {
  readonly item: Item;
  /** whether items of this key differ in more than their time */
  readonly differs: boolean;
  /** whether items of this key with this time do: the text decided between them */
  readonly isTied: boolean;
}

/** What `Newest.toJSON` returns. */
export interface NewestState<Item> {
  /** by time; second: whether items of its key differ, third: whether those of its time do, absent where they do not */
  readonly held: readonly (readonly [item: Item, differs: boolean, isTied?: true])[];
  readonly duplicates: number;
  readonly late: number;
  readonly dropped: number;
  /** null: nothing has expired */
  readonly before: number | null;
}

/**
 * The newest item of each key, and of all keys the newest ones that fit. What it holds depends on the items it was given alone, not on their order: of two items
 * of a key the later one stays, of two at the same time that whose text is greater; and what is dropped for room is older than all that stays.
 */
export class Newest<Item extends { readonly at: number }> {
  /** items that came for a key that was held already */
  duplicates = 0;
  /** items older than the time before which all has expired */
  late = 0;
  /** keys that were dropped for room */
  dropped = 0;
  #entries = new Map<string, Entry<Item>>();
  #before = Number.NEGATIVE_INFINITY;
  readonly #capacity: number;
  readonly #content: (item: Item) => string;

  /** @param content  of an item without its time */
  constructor(capacity: number, content: (item: Item) => string) {
    this.#capacity = capacity;
    this.#content = content;
  }

  add(key: string, item: Item, differs = false, isTied = false): void {
    if (item.at < this.#before) {
      this.late++;
      return;
    }
    const held = this.#entries.get(key);
    if (!held) {
      this.#entries.set(key, { item, differs, isTied });
      // a quarter more than fit, so that sorting is seldom
      if (this.#entries.size > 1.25 * this.#capacity) this.#trim();
      return;
    }
    this.duplicates++;
    const [mine, theirs] = [this.#content(item), this.#content(held.item)];
    const isOfOneTime = item.at === held.item.at;
    const isNewer = item.at > held.item.at || (isOfOneTime && mine > theirs);
    const isOther = mine !== theirs;
    this.#entries.set(key, {
      item: isNewer ? item : held.item,
      differs: differs || held.differs || isOther,
      isTied: isOfOneTime ? isTied || held.isTied || isOther : isNewer ? isTied : held.isTied,
    });
  }

  /** All that another one holds, and its counts. */
  merge(other: Newest<Item>): void {
    for (const [key, { item, differs, isTied }] of other.#trimmed()) this.add(key, item, differs, isTied);
    this.duplicates += other.duplicates;
    this.late += other.late;
    this.dropped += other.dropped;
    if (other.#before > this.#before) this.expire(other.#before);
  }

  /** Removes what is older, and takes nothing as old as that from now on. */
  expire(before: number): void {
    if (!(before > this.#before)) return;
    this.#before = before;
    for (const [key, { item }] of this.#entries) if (item.at < before) this.#entries.delete(key);
  }

  remove(key: string): void {
    this.#entries.delete(key);
  }

  /** how many keys have items that differ in more than their time */
  get differing(): number {
    let count = 0;
    for (const { differs } of this.#trimmed().values()) if (differs) count++;
    return count;
  }

  /** how many keys have items of their newest time that differ: nothing but their text decided between them */
  get tied(): number {
    let count = 0;
    for (const { isTied } of this.#trimmed().values()) if (isTied) count++;
    return count;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  get size(): number {
    return this.#trimmed().size;
  }

  *values(): Iterable<Item> {
    for (const { item } of this.#trimmed().values()) yield item;
  }

  /** The time before which all goes, so that at most so many stay; null: no more are held. Items of one time stay together. */
  cut(keep: number): number | null {
    if (this.#entries.size <= keep) return null;
    const times = Float64Array.from(this.#entries.values(), ({ item }) => item.at).sort();
    return times[times.length - keep];
  }

  /** The state: equal contents give equal text, in whatever order they came. */
  toJSON(): NewestState<Item> {
    const sorted = [...this.#trimmed()].sort(([a, { item: x }], [b, { item: y }]) => x.at - y.at || (a < b ? -1 : 1));
    const { duplicates, late, dropped } = this;
    const before = Number.isFinite(this.#before) ? this.#before : null;
    const held = sorted.map(([, { item, differs, isTied }]) =>
      isTied ? ([item, differs, true] as const) : ([item, differs] as const),
    );
    return { held, duplicates, late, dropped, before };
  }

  /** Takes what a state holds. @throws ERR_FORMAT, ERR_RANGE */
  restore(state: NewestState<Item>, add: (item: Item, differs: boolean, isTied: boolean) => void): void {
    const { held, duplicates, late, dropped, before } = Object(state) as NewestState<Item>;
    if (!Array.isArray(held)) refuse('ERR_FORMAT', 'state', 'a list of what is held', tell(held), 'save it again');
    for (const one of held) add(one?.[0], one?.[1] === true, one?.[2] === true);
    if (before !== null) this.#before = finite('before', before);
    this.duplicates = whole('duplicates', duplicates);
    this.late = whole('late', late);
    this.dropped = whole('dropped', dropped);
  }

  #trimmed(): Map<string, Entry<Item>> {
    if (this.#entries.size > this.#capacity) this.#trim();
    return this.#entries;
  }

  #trim(): void {
    const sorted = [...this.#entries].sort(([a, { item: x }], [b, { item: y }]) => y.at - x.at || (a < b ? 1 : -1));
    this.dropped += sorted.length - this.#capacity;
    this.#entries = new Map(sorted.slice(0, this.#capacity));
  }
}
