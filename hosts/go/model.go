package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"log"
	"math"
	"os"
	"slices"
)

// A model file, and the columns that its schema makes of records: docs/ABI.md, "From a model file to a score".
type Model struct {
	Format   int
	Classes  []string
	Positive string
	Offset   *string
	Decision struct {
		Threshold      float64
		Costs, Abstain any
	}
	Calibration any
	Schema      struct{ Features []Feature }

	weights, intercept []byte // as memory takes them
}

type Feature struct {
	Name, Column, Kind, Missing, Unseen string
	Mean                                float64
	Indicator                           bool
	Levels, Rare                        []string
	Counts                              []float64
	Reference                           *int
}

type Row map[string]any

type Column struct {
	kind, slots uint32
	bytes       []byte
}

func load(path string) (model Model) {
	file := must(os.ReadFile(path))
	blank := slices.Concat(file[:35], bytes.Repeat([]byte("0"), 64), file[99:])
	if digest := sha256.Sum256(blank); hex.EncodeToString(digest[:]) != string(file[35:99]) {
		log.Fatal("expected the SHA-256 stored in the model file, got another one; copy the file again")
	}
	type Tensor struct {
		Offsets [2]int `json:"data_offsets"`
	}
	var header struct {
		Metadata           struct{ Logodds string } `json:"__metadata__"`
		Weights, Intercept Tensor
	}
	data := 8 + binary.LittleEndian.Uint64(file)
	check(json.Unmarshal(file[8:data], &header))
	check(json.Unmarshal([]byte(header.Metadata.Logodds), &model))
	if len(model.Classes) != 2 {
		log.Fatalf("expected a model of two classes, got %d; score it with the library", len(model.Classes))
	}
	if model.Calibration != nil || model.Decision.Costs != nil || model.Decision.Abstain != nil {
		log.Fatal("expected a model without calibration, costs and abstain, got one with them; score it with the library")
	}
	for i, f := range model.Schema.Features {
		if f.Kind != "numeric" && f.Kind != "categorical" {
			log.Fatalf("feature %s: expected numeric or categorical, got %s; score it with the library", f.Name, f.Kind)
		}
		if f.Column == "" {
			model.Schema.Features[i].Column = f.Name
		}
	}
	tensor := func(t Tensor) []byte { return file[data:][t.Offsets[0]:t.Offsets[1]] }
	model.weights, model.intercept = tensor(header.Weights), tensor(header.Intercept)
	return
}

// cell of a field; nil is a missing value.
func (row Row) cell(name string) any {
	value, present := row[name]
	if !present {
		log.Fatalf("expected a field %s, found none; use null for a missing value", name)
	}
	return value
}

// number in a field; encoding/json has refused those that are not finite.
func (row Row) number(name string) float64 {
	value, ok := row.cell(name).(float64)
	if !ok {
		log.Fatalf("field %s: expected a finite number, got %v", name, row[name])
	}
	return value
}

// text of a category; encoding/json writes a number as ECMAScript does, but for -0.
func text(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	if value == 0.0 {
		return "0"
	}
	return string(must(json.Marshal(value)))
}

// columns of a feature, in order.
func (f Feature) columns(rows []Row) []Column {
	if f.Kind == "categorical" {
		return []Column{f.codes(rows)}
	}
	numbers, flags := Column{kind: 1, slots: 1}, Column{kind: 2, slots: 2}
	for _, row := range rows {
		value, flag := f.Mean, byte(1)
		if row.cell(f.Column) != nil {
			value, flag = row.number(f.Column), 0
		}
		numbers.bytes = binary.LittleEndian.AppendUint64(numbers.bytes, math.Float64bits(value))
		flags.bytes = append(flags.bytes, flag)
	}
	if f.Indicator {
		return []Column{numbers, flags}
	}
	return []Column{numbers}
}

func (f Feature) codes(rows []Row) Column {
	codes, missing := map[string]int{}, len(f.Levels)
	for code, level := range f.Levels {
		codes[level] = code
	}
	unseen := missing + 1
	for _, level := range f.Rare {
		codes[level] = unseen
	}
	mode := slices.Index(f.Counts, slices.Max(f.Counts[:missing]))
	baseline := mode
	if f.Reference != nil {
		baseline = *f.Reference
	}
	policy := func(name string, slot int) int {
		return map[string]int{"slot": slot, "mode": mode, "baseline": baseline, "error": -1}[name]
	}
	gap, other := policy(f.Missing, missing), policy(f.Unseen, unseen)
	column, width := Column{kind: 2, slots: uint32(unseen + 1)}, 1
	if unseen >= 1<<16 {
		column.kind, width = 4, 4
	} else if unseen >= 1<<8 {
		column.kind, width = 3, 2
	}
	for _, row := range rows {
		code, cell := gap, row.cell(f.Column)
		if cell != nil {
			var seen bool
			if code, seen = codes[text(cell)]; !seen {
				code = other
			}
		}
		if code < 0 {
			log.Fatalf("field %s: expected a level seen in training, got %v", f.Column, cell)
		}
		column.bytes = append(column.bytes, binary.LittleEndian.AppendUint32(nil, uint32(code))[:width]...)
	}
	return column
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func must[T any](value T, err error) T {
	check(err)
	return value
}
