/** What a server says of itself. */
export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

/** A tensor that a model takes or gives; -1 in a shape: any length. */
export interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

/** What a server says of a model. */
export interface ModelMetadata {
  readonly name: string;
  readonly versions?: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** A version of a model in the repository of a server. */
export interface ModelState {
  readonly name: string;
  readonly version?: string;
  /** READY, LOADING, UNLOADING or UNAVAILABLE */
  readonly state: string;
  readonly reason: string;
}

/** How often, and how long together. */
export interface Duration {
  readonly count: number;
  readonly ns: number;
}

/** Counts of a version of a model, as Triton names them. */
export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  /** rows */
  readonly inference_count: number;
  readonly execution_count: number;
  readonly inference_stats: Readonly<
    Record<'success' | 'fail' | 'queue' | 'compute_input' | 'compute_infer' | 'compute_output', Duration>
  >;
  readonly [more: string]: unknown;
}
