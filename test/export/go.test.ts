import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { go } from '../../cli/src/jobs/export/targets/go.ts';
import { sweep } from '../full.ts';
import { cases, compare, INTEROP, isTyped, optionsOf, tokensOf } from './kit.ts';

const folder = mkdtempSync(join(tmpdir(), 'logodds-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Reads tokens into the fields of a record in their order. */
const MAIN = `
import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"
)

func number(token string) float64 {
	bits, _ := strconv.ParseUint(token, 16, 64)
	return math.Float64frombits(bits)
}

func fill(record any, tokens []string) {
	fields := reflect.ValueOf(record).Elem()
	for i := 0; i < fields.NumField(); i++ {
		field := fields.Field(i)
		if tokens[i] == "-" {
			continue
		}
		switch field.Interface().(type) {
		case *float64:
			x := number(tokens[i])
			field.Set(reflect.ValueOf(&x))
		case *string:
			data, _ := hex.DecodeString(tokens[i][1:])
			text := string(data)
			field.Set(reflect.ValueOf(&text))
		case *time.Time:
			at := time.UnixMilli(int64(number(tokens[i]))).UTC()
			field.Set(reflect.ValueOf(&at))
		}
	}
}

func hexed(x float64) string {
	if x != x {
		return "nan"
	}
	return fmt.Sprintf("%016x", math.Float64bits(x))
}

func say(score any, err error) {
	if err != nil {
		fmt.Println("refused")
		return
	}
	s := reflect.ValueOf(score)
	parts := []string{}
	for _, name := range []string{"Logit", "Probability", "Defaulted", "OutOfRange"} {
		parts = append(parts, hexed(s.FieldByName(name).Float()))
	}
	review := "0"
	if s.FieldByName("Review").Bool() {
		review = "1"
	}
	parts = append(parts, review)
	for _, name := range []string{"Logits", "Probabilities"} {
		for _, value := range s.FieldByName(name).Interface().([]float64) {
			parts = append(parts, hexed(value))
		}
	}
	label, _ := json.Marshal(s.FieldByName("Label").String())
	fmt.Println(strings.Join(parts, " "), string(label))
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		tokens := strings.Split(lines.Text(), " ")
		runs[tokens[0]](tokens[1:])
	}
}
`;

/** Processors that fuse a product and a sum where they may. */
const LEVELS = ['v1', 'v3'];

test.runIf(INTEROP)(
  'a package of Go gives the bits of Model.score',
  () => {
    const { taken } = cases(sweep(40, 400));
    writeFileSync(join(folder, 'go.mod'), 'module example.com/models\n\ngo 1.21\n');
    const names = taken.map((_, i) => `m${i}`);
    for (const [i, one] of taken.entries()) {
      mkdirSync(join(folder, names[i]));
      const [{ text }] = go.print(() => one.plan, optionsOf(one, names[i]));
      writeFileSync(join(folder, names[i], 'model.go'), text);
    }
    const runs = names.map(
      (name) =>
        `\t"${name}": func(tokens []string) { var r ${name}.Record; fill(&r, tokens); s, err := ${name}.ScoreOf(&r); say(s, err) },`,
    );
    writeFileSync(join(folder, 'main.go'), `package main\n${MAIN}`);
    writeFileSync(
      join(folder, 'runs.go'),
      `package main\n\nimport (\n${names.map((name) => `\t"example.com/models/${name}"`).join('\n')}\n)\n\nvar runs = map[string]func([]string){\n${runs.join('\n')}\n}\n`,
    );
    const input = taken.flatMap(({ plan, records }, i) =>
      records.filter(isTyped).map((record) => `m${i} ${tokensOf(plan, record)}\n`),
    );
    for (const level of LEVELS) {
      const env = { ...process.env, GOAMD64: level, GOFLAGS: '-mod=mod', CGO_ENABLED: '0' };
      execFileSync('go', ['build', '-o', 'program', '.'], { cwd: folder, env });
      const lines = execFileSync(join(folder, 'program'), {
        input: input.join(''),
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      }).split('\n');
      expect(compare(taken, lines, isTyped)).toBe(input.length);
    }
    execFileSync('go', ['vet', './...'], { cwd: folder });
  },
  600_000,
);
