/** Shapes of JSON values, for what scoring does not read; `check.ts` has its own, smaller ones. */

/** Where a value is first not as it must be: "" itself, ".0.name" a part; null: nowhere. */
export type Test = (value: unknown) => string | null;

export const which =
  (valid: (value: unknown) => boolean): Test =>
  (value) =>
    valid(value) ? null : '';

export const string = /* @__PURE__ */ which((value) => typeof value === 'string');
export const number = /* @__PURE__ */ which((value) => Number.isFinite(value));
export const boolean = /* @__PURE__ */ which((value) => typeof value === 'boolean');
export const count = /* @__PURE__ */ which((value) => Number.isSafeInteger(value) && (value as number) >= 0);
export const nullable =
  (test: Test): Test =>
  (value) =>
    value === null ? null : test(value);
export const optional =
  (test: Test): Test =>
  (value) =>
    value === undefined ? null : test(value);
/** A figure of a fit; JSON has null for one that is not finite. */
export const figure = /* @__PURE__ */ nullable(number);
export const word = (...words: readonly string[]) => which((value) => words.includes(value as string));
export const below = (end: number) => which((value) => count(value) === null && (value as number) < end);

export const list =
  (test: Test, least = 0, most = Number.POSITIVE_INFINITY): Test =>
  (value) => {
    if (!Array.isArray(value) || value.length < least || value.length > most) return '';
    for (let i = 0; i < value.length; i++) {
      const wrong = test(value[i]);
      if (wrong !== null) return `.${i}${wrong}`;
    }
    return null;
  };

/** Own fields, each as its test says; others may be there too. */
export const object =
  (fields: Readonly<Record<string, Test>>): Test =>
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return '';
    for (const [field, test] of Object.entries(fields)) {
      const wrong = test(Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : undefined);
      if (wrong !== null) return `.${field}${wrong}`;
    }
    return null;
  };
