// Command store-oracle says what SOPS's own stores make of a document: read as one type, written as another.
//
// Input: frames, each a line "INPUT OUTPUT INDENT LENGTH" and LENGTH bytes of text; INDENT 0 is the type's default.
// Output: one line of JSON for each: {"text64": "…"}, or {"failed": "load" | "walk" | "emit" | "panic", "error": "…"}.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/config"
	"github.com/getsops/sops/v3/stores/dotenv"
	"github.com/getsops/sops/v3/stores/ini"
	jsonstore "github.com/getsops/sops/v3/stores/json"
	"github.com/getsops/sops/v3/stores/yaml"
)

type store interface {
	LoadPlainFile([]byte) (sops.TreeBranches, error)
	EmitPlainFile(sops.TreeBranches) ([]byte, error)
}

type answer struct {
	Text64 *string `json:"text64,omitempty"`
	Failed string  `json:"failed,omitempty"`
	Error  string  `json:"error,omitempty"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for {
		var input, output string
		var indent, length int
		if _, err := fmt.Fscanf(in, "%s %s %d %d\n", &input, &output, &indent, &length); err != nil {
			return
		}
		text := make([]byte, length)
		if _, err := io.ReadFull(in, text); err != nil {
			fmt.Fprintln(os.Stderr, "store-oracle:", err)
			os.Exit(1)
		}
		_ = encoder.Encode(convert(input, output, indent, text))
	}
}

func convert(input, output string, indent int, text []byte) (result answer) {
	defer func() {
		if reason := recover(); reason != nil {
			result = answer{Failed: "panic", Error: fmt.Sprint(reason)}
		}
	}()
	branches, err := named(input, 0).LoadPlainFile(text)
	if err != nil {
		return answer{Failed: "load", Error: err.Error()}
	}
	if len(branches) == 0 {
		return answer{Failed: "load", Error: "no documents"}
	}
	for _, branch := range branches {
		if !walkable(branch) {
			return answer{Failed: "walk"}
		}
	}
	emitted, err := named(output, indent).EmitPlainFile(branches)
	if err != nil {
		return answer{Failed: "emit", Error: err.Error()}
	}
	encoded := base64.StdEncoding.EncodeToString(emitted)
	return answer{Text64: &encoded}
}

func named(name string, indent int) store {
	tabs := indent
	if tabs == 0 {
		tabs = -1
	}
	switch name {
	case "yaml":
		return yaml.NewStore(&config.YAMLStoreConfig{Indent: indent})
	case "json":
		return jsonstore.NewStore(&config.JSONStoreConfig{Indent: tabs})
	case "dotenv":
		return dotenv.NewStore(&config.DotenvStoreConfig{})
	case "ini":
		return ini.NewStore(&config.INIStoreConfig{})
	}
	return jsonstore.NewBinaryStore(&config.JSONBinaryStoreConfig{Indent: tabs})
}

// walkable tells whether SOPS could encrypt the value: text for keys, no integers without a sign.
func walkable(value any) bool {
	switch value := value.(type) {
	case sops.TreeBranch:
		for _, item := range value {
			switch item.Key.(type) {
			case string, sops.Comment:
			default:
				return false
			}
			if !walkable(item.Value) {
				return false
			}
		}
	case []any:
		for _, item := range value {
			if !walkable(item) {
				return false
			}
		}
	case uint64:
		return false
	}
	return true
}
