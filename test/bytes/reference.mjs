/*
 * What scoring from bytes must give, by the words of its contract alone: JSON.parse, then `Model.score`. It has no code of src/bytes.
 */
const utf8 = () => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const LF = 10;

/** One row: its score, or the code of its refusal. */
function scored(model, value) {
  try {
    return { score: model.score(value) };
  } catch (error) {
    if (!error.code) throw error;
    return { code: error.code, message: error.message };
  }
}

function parsed(text) {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

function rowOf(model, bytes) {
  let text;
  try {
    text = utf8().decode(bytes);
  } catch {
    return { code: 'ERR_DATA' };
  }
  const json = parsed(text);
  return json ? scored(model, json.value) : { code: 'ERR_DATA' };
}

const behindMark = (bytes) => (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes);
const isBlank = (bytes) => bytes.every((byte) => byte === 32 || byte === 9 || byte === 13 || byte === 10);

function split(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; ) {
    const next = bytes.indexOf(LF, at);
    const end = next < 0 ? bytes.length : next;
    lines.push(bytes.subarray(at, end));
    at = end + 1;
  }
  return lines.filter((line) => !isBlank(line));
}

/** One record. */
export const recordOf = (model, bytes) => rowOf(model, behindMark(bytes));

/** The rows of JSON lines. */
export const linesOf = (model, bytes) => split(behindMark(bytes)).map((line) => rowOf(model, line));

/** The rows of a document: a record, an array, or JSON lines; null: an array that is no JSON as a whole. */
export function documentOf(model, given) {
  const bytes = behindMark(given);
  const first = bytes.find((byte) => !isBlank([byte]));
  if (first === undefined) return [{ code: 'ERR_DATA' }];
  // invalid UTF-8 is U+FFFD here, which is text too; the rows decide
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const json = parsed(text);
  if (first === 0x5b) {
    if (!json) return null;
    const valid = (() => {
      try {
        return Boolean(utf8().decode(bytes));
      } catch {
        return false;
      }
    })();
    return valid ? json.value.map((value) => scored(model, value)) : 'some';
  }
  return json ? [rowOf(model, bytes)] : split(bytes).map((line) => rowOf(model, line));
}
