/** What became true of an earlier score. */
export interface Label {
  /** of the score: the id of its request, `ID/ROW` where there were several rows */
  readonly id: string;
  /** a class of the model */
  readonly label: string;
  /** when it was known, in ISO 8601 */
  readonly at: string;
  readonly model: string;
}

/** Takes labels. */
export interface LabelSink {
  /** Whether it keeps those of a model; default: it does. */
  keeps?(model: string): boolean;
  /** Resolves when they are kept. Rejects where they cannot be. */
  take(labels: readonly Label[]): Promise<void>;
}
