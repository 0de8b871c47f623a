import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { java } from '../../cli/src/jobs/export/targets/java.ts';
import { sweep } from '../full.ts';
import { cases, compare, INTEROP, optionsOf } from './kit.ts';

const folder = mkdtempSync(join(tmpdir(), 'logodds-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PROGRAM = `
import java.io.*;
import java.lang.reflect.*;
import java.nio.charset.StandardCharsets;
import java.util.*;

public class Program {
    static String hexed(double x) {
        return x != x ? "nan" : String.format("%016x", Double.doubleToRawLongBits(x));
    }

    static String quoted(String text) {
        StringBuilder out = new StringBuilder("\\"");
        for (char unit : text.toCharArray()) out.append(String.format("\\\\u%04x", (int) unit));
        return out.append('"').toString();
    }

    static Object value(String token) {
        if (token.equals("-")) return null;
        if (token.charAt(0) == 'd') return new Date((long) Double.longBitsToDouble(Long.parseUnsignedLong(token.substring(1), 16)));
        if (token.charAt(0) != 't') return Double.longBitsToDouble(Long.parseUnsignedLong(token, 16));
        StringBuilder out = new StringBuilder();
        for (int i = 1; i < token.length(); i += 4) out.append((char) Integer.parseInt(token.substring(i, i + 4), 16));
        return out.toString();
    }

    static Object get(Object of, String name) throws Exception {
        return of.getClass().getField(name).get(of);
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(new BufferedOutputStream(System.out), false, "UTF-8");
        for (String line; (line = in.readLine()) != null; ) {
            String[] tokens = line.split(" ");
            Class<?> model = Class.forName(tokens[0]);
            List<?> fields = (List<?>) model.getField("FIELDS").get(null);
            Map<String, Object> record = new HashMap<>();
            for (int i = 0; i < fields.size(); i++) record.put((String) fields.get(i), value(tokens[i + 1]));
            Object score;
            try {
                score = model.getMethod("score", Map.class).invoke(null, record);
            } catch (InvocationTargetException error) {
                if (!(error.getCause() instanceof IllegalArgumentException || error.getCause() instanceof ArithmeticException)) throw error;
                out.println("refused");
                continue;
            }
            StringBuilder all = new StringBuilder();
            for (String name : new String[] {"logit", "probability", "defaulted", "outOfRange"}) all.append(hexed((Double) get(score, name))).append(' ');
            all.append((Boolean) get(score, "review") ? "1 " : "0 ");
            for (String name : new String[] {"logits", "probabilities"})
                for (double x : (double[]) get(score, name)) all.append(hexed(x)).append(' ');
            out.println(all + quoted((String) get(score, "label")));
        }
        out.flush();
    }
}
`;

const bits = new DataView(new ArrayBuffer(8));
const hexOf = (value: number): string => {
  bits.setFloat64(0, value);
  return bits.getBigUint64(0).toString(16).padStart(16, '0');
};

/** A cell of a record: bits of a number, `d` and the bits of a time, `t` and the units of a text, `-` for nothing. */
function tokenOf(value: number | string | null, isTime: boolean): string {
  if (value === null) return '-';
  if (typeof value === 'number') return `${isTime ? 'd' : ''}${hexOf(value)}`;
  return `t${Array.from({ length: value.length }, (_, i) => value.charCodeAt(i).toString(16).padStart(4, '0')).join('')}`;
}

test.runIf(INTEROP)(
  'a class of Java gives the bits of Model.score',
  () => {
    const { taken } = cases(sweep(40, 400));
    for (const [i, one] of taken.entries()) {
      const [{ text }] = java.print(() => one.plan, optionsOf(one, `M${i}`));
      writeFileSync(join(folder, `M${i}.java`), text);
    }
    writeFileSync(join(folder, 'Program.java'), PROGRAM);
    const sources = [...taken.map((_, i) => `M${i}.java`), 'Program.java'];
    execFileSync('javac', ['--release', '8', '-Xlint:all,-options', '-Werror', '-encoding', 'ascii', ...sources], {
      cwd: folder,
    });
    const input = taken.flatMap(({ plan, records }, i) =>
      records.map(
        (record) =>
          `M${i} ${plan.inputs.map(({ name, holds }) => tokenOf(record[name], holds === 'time')).join(' ')}\n`,
      ),
    );
    const lines = execFileSync('java', ['-cp', '.', 'Program'], {
      cwd: folder,
      input: input.join(''),
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    }).split('\n');
    expect(compare(taken, lines)).toBe(input.length);
  },
  600_000,
);
