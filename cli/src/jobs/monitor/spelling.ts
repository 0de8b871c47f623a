/** Labels in other words than the classes: one rule for JSON lines, CSV, Parquet and columns of a query. */

/** Truth values as programs write them. */
const TRUTH: Readonly<Record<string, boolean>> = { true: true, '1': true, false: false, '0': false };

/** A number without the zeros that a column of floats adds: `1.0` is 1. */
const plain = (text: string): string => (/^-?\d+\.0+$/.test(text) ? text.slice(0, text.indexOf('.')) : text);

const truthOf = (text: string): boolean | undefined => TRUTH[plain(text).toLowerCase()];

/**
 * Makes the rule by which a label stands for a class: its own text first; else the class that is the same number (`1.0` is `1`); else, where the classes are a truth
 * value and its opposite, the one of the same truth (`true` is `1`, `False` is `0`). Any other label stays as it is, and is counted as none of the classes.
 */
export function spellerOf(classes: readonly string[]): (label: string) => string {
  const truths = classes.map(truthOf);
  const isTruth = classes.length === 2 && truths.includes(true) && truths.includes(false);
  return (label) => {
    if (classes.includes(label)) return label;
    const number = plain(label);
    if (number !== label && classes.includes(number)) return number;
    const truth = isTruth ? truthOf(label) : undefined;
    return truth === undefined ? label : classes[truths.indexOf(truth)];
  };
}

/** Said of labels that `spellerOf` has changed. */
export const RESPELT = 'labels in another spelling of a class, such as true for 1 or 1.0 for 1: taken as it';
