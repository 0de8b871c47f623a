// Scores rows with logodds' kernels.wasm in wazero and compares the bits; written from docs/ABI.md.
//
//	logodds-host kernels.wasm MODEL...   where MODEL.safetensors is a model, and MODEL.json its rows and their bits
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"

	"github.com/tetratelabs/wazero"
)

// score returns logit and probability of each row.
func score(wasm []byte, model Model, rows []Row) (logits, probabilities []float64) {
	ctx := context.Background()
	runtime := wazero.NewRuntime(ctx)
	defer runtime.Close(ctx)
	module := must(runtime.Instantiate(ctx, wasm))
	call := func(name string, parameters ...uint64) []uint64 {
		return must(module.ExportedFunction(name).Call(ctx, parameters...))
	}
	if abi := call("abiVersion")[0]; abi != 1 {
		log.Fatalf("expected ABI version 1, got %d; take the module of another release", abi)
	}
	base := call("heapBase")[0]
	image := make([]byte, base) // of linear memory, from address 0 on
	place := func(bytes []byte) uint64 {
		image = append(image, make([]byte, -len(image)&15)...)
		image = append(image, bytes...)
		return uint64(len(image) - len(bytes))
	}
	var table []uint32
	var slots uint32
	for _, feature := range model.Schema.Features {
		for _, column := range feature.columns(rows) {
			table = append(table, uint32(place(column.bytes)), column.kind, slots, 0)
			slots += column.slots
		}
	}
	if n := len(model.weights) / 8; model.Format != 1 || n != int(slots) {
		log.Fatalf("expected format 1 and %d weights (slots of the schema), got %d and %d", slots, model.Format, n)
	}
	n, plane := uint64(len(rows)), uint64(len(rows)+3)&^3
	entries := place(must(binary.Append(nil, binary.LittleEndian, table)))
	w, b := place(model.weights), place(model.intercept)
	z, p := place(make([]byte, 8*plane)), place(make([]byte, 8*plane))
	memory := module.Memory()
	memory.Grow(uint32(len(image)+65535) / 65536)
	memory.Write(uint32(base), image[base:])
	read := func(address uint64) []float64 {
		bytes, _ := memory.Read(uint32(address), uint32(8*n))
		values := make([]float64, n)
		must(binary.Decode(bytes, binary.LittleEndian, values))
		return values
	}

	call("logitsColumnsF64", entries, uint64(len(table)/4), 0, n, w, uint64(slots), b, 1, z, plane)
	logits = read(z)
	if model.Offset != nil {
		for i, row := range rows {
			logits[i] += row.number(*model.Offset)
			memory.WriteFloat64Le(uint32(z)+8*uint32(i), logits[i])
		}
	}
	call("sigmoidF64", z, n, p)
	return logits, read(p)
}

// label is the class of a row by its probability. NaN is above no threshold: it would pass as the negative class.
func (model Model) label(probability float64) (string, error) {
	if math.IsNaN(probability) {
		return "", errors.New("expected numbers whose logit is a number, got NaN; its terms overflow")
	}
	label := model.Classes[0]
	if (label == model.Positive) != (probability > model.Decision.Threshold) {
		label = model.Classes[1]
	}
	return label, nil
}

func bits(value float64) string {
	return fmt.Sprintf("%016x", math.Float64bits(value))
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 3 {
		log.Fatal("usage: logodds-host kernels.wasm MODEL...")
	}
	for _, name := range os.Args[2:] {
		log.SetPrefix(filepath.Base(name) + ": ")
		var cases struct {
			Rows, Refused                 []Row
			Logits, Probabilities, Labels []string
		}
		check(json.Unmarshal(must(os.ReadFile(name+".json")), &cases))
		model := load(name + ".safetensors")
		logits, probabilities := score(must(os.ReadFile(os.Args[1])), model, cases.Rows)
		for i := range cases.Rows {
			label := must(model.label(probabilities[i]))
			want := [3]string{cases.Logits[i], cases.Probabilities[i], cases.Labels[i]}
			if got := [3]string{bits(logits[i]), bits(probabilities[i]), label}; got != want {
				log.Fatalf("row %d (from 0): expected %v, got %v", i, want, got)
			}
		}
		_, probabilities = score(must(os.ReadFile(os.Args[1])), model, cases.Refused)
		for i := range cases.Refused {
			if label, err := model.label(probabilities[i]); err == nil {
				log.Fatalf("refused row %d (from 0): expected a refusal, got %s", i, label)
			}
		}
		fmt.Printf("%s: %d rows, the same bits\n", filepath.Base(name), len(cases.Rows))
	}
}
