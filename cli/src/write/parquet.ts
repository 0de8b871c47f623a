/** Scores as Parquet, a group of rows at a time. Headers and footer are written by hyparquet-writer, the cells by `parquetColumns.ts`. */
import type { ColumnChunk, Encoding, RowGroup } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { version } from '../version.ts';
import { ofClasses, type ScoreBlock, type ScoreLayout } from './block.ts';
import { type Encoded, flags, numbers, type ParquetColumn, rowNumbers, texts } from './parquetColumns.ts';

/** Rows of a group, as DuckDB and others have them. */
const GROUP_ROWS = 122_880;

/** Most bytes of the numbers of a group: with many classes it has fewer rows. */
const GROUP_BYTES = 2 ** 26;

const MAGIC = Buffer.from('PAR1');

/** A file with the columns row, p_<class> of every class, label, and the further ones. One group of rows is in memory. */
export class ParquetFile {
  readonly #layout: ScoreLayout;
  readonly #put: (bytes: Uint8Array) => void;
  readonly #columns: readonly ParquetColumn[];
  readonly #capacity: number;
  readonly #groups: RowGroup[] = [];
  /** number of the first row of the group */
  #first = 0;
  /** rows of the group so far */
  #rows = 0;
  /** bytes written */
  #offset = 0;

  /** @param put  takes the next bytes of the file */
  constructor(layout: ScoreLayout, put: (bytes: Uint8Array) => void) {
    const { classes, precision, further = [] } = layout;
    const capacity = Math.min(GROUP_ROWS, Math.ceil(GROUP_BYTES / (8 * (classes.length + further.length))));
    const kinds = { number: numbers, text: texts, flag: flags };
    this.#layout = layout;
    this.#put = put;
    this.#capacity = capacity;
    this.#columns = [
      rowNumbers('row'),
      ...classes.map((label) => numbers(`p_${label}`, capacity, precision)),
      texts('label', capacity, classes),
      ...further.map(({ name, type }) => kinds[type](name, capacity)),
    ];
    this.#write(MAGIC);
  }

  add(block: ScoreBlock): void {
    const { rows, firstRow, labels, further } = block;
    const cells = [[], ...ofClasses(this.#layout, block), labels, ...further];
    for (let at = 0; at < rows; ) {
      if (this.#rows === 0) this.#first = firstRow + at;
      const end = Math.min(rows, at + this.#capacity - this.#rows);
      for (const [k, column] of this.#columns.entries()) column.add(cells[k], at, end, this.#rows);
      this.#rows += end - at;
      at = end;
      if (this.#rows === this.#capacity) this.#endGroup();
    }
  }

  /** Writes the rest of the rows and the footer. */
  end(): void {
    if (this.#rows > 0) this.#endGroup();
    const footer = new ByteWriter();
    writeMetadata(footer, {
      version: 2,
      created_by: `logodds version ${version()}`,
      schema: [
        { name: 'scores', num_children: this.#columns.length, repetition_type: 'REQUIRED' },
        ...this.#columns.map(({ element }) => element),
      ],
      num_rows: this.#groups.reduce((sum, group) => sum + group.num_rows, 0n),
      row_groups: this.#groups,
      metadata_length: 0,
    });
    footer.appendBytes(MAGIC);
    this.#write(footer.getBytes());
  }

  #endGroup(): void {
    const start = this.#offset;
    const columns = this.#columns.map((column) => this.#chunk(column, column.encode(this.#rows, this.#first)));
    const num_rows = BigInt(this.#rows);
    const size = BigInt(this.#offset - start);
    this.#groups.push({ columns, num_rows, total_byte_size: size, total_compressed_size: size });
    this.#rows = 0;
  }

  /** A column of the group: a page of its dictionary, if it has one, and a page of its cells. */
  #chunk({ element }: ParquetColumn, { dictionary, encoding, cells, statistics }: Encoded): ColumnChunk {
    const start = this.#offset;
    const num_values = this.#rows;
    const encodings: Encoding[] = ['RLE', encoding];
    if (dictionary) {
      encodings.push('PLAIN');
      const { bytes, count } = dictionary;
      this.#page(bytes, {
        type: 'DICTIONARY_PAGE',
        dictionary_page_header: { num_values: count, encoding: 'PLAIN' },
      });
    }
    const data = this.#offset;
    const levels = { definition_level_encoding: 'RLE', repetition_level_encoding: 'RLE' } as const;
    this.#page(
      cells,
      { type: 'DATA_PAGE', data_page_header: { num_values, encoding, ...levels } },
      allPresent(num_values),
    );
    const size = BigInt(this.#offset - start);
    return {
      file_offset: BigInt(start),
      meta_data: {
        type: element.type!,
        encodings,
        path_in_schema: [element.name],
        codec: 'UNCOMPRESSED',
        num_values: BigInt(num_values),
        total_uncompressed_size: size,
        total_compressed_size: size,
        ...(dictionary && { dictionary_page_offset: BigInt(start) }),
        data_page_offset: BigInt(data),
        statistics: { ...statistics, null_count: 0n },
      },
    };
  }

  #page(
    bytes: Uint8Array,
    header: Omit<Parameters<typeof writePageHeader>[1], 'uncompressed_page_size' | 'compressed_page_size'>,
    levels = new Uint8Array(0),
  ): void {
    const size = levels.length + bytes.length;
    const head = new ByteWriter();
    writePageHeader(head, { ...header, uncompressed_page_size: size, compressed_page_size: size });
    head.appendBytes(levels);
    this.#write(head.getBytes());
    this.#write(bytes);
  }

  #write(bytes: Uint8Array): void {
    this.#put(bytes);
    this.#offset += bytes.length;
  }
}

/** Definition levels of rows that all have a cell: one run of ones, its length in bytes before it. */
function allPresent(rows: number) {
  const run = new ByteWriter();
  run.appendVarInt(2 * rows);
  run.appendUint8(1);
  const levels = new ByteWriter();
  levels.appendUint32(run.offset);
  levels.appendBytes(run.getBytes());
  return levels.getBytes();
}
