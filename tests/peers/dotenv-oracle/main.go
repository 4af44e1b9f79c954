// Command dotenv-oracle says what the readers of two dialects of environment files make of a text.
//
// Input: frames, each a line "DIALECT LENGTH" and LENGTH bytes of text.
// Output: one line of JSON for each: {"values": {NAME: VALUE, …}, "asked": true}, or {"error": "…"}. `asked` is there
// where the reader took anything out of its own environment, by a name without a value or by an expansion.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/docker/cli/pkg/kvfile"
	"github.com/sirupsen/logrus"
)

type answer struct {
	Values map[string]string `json:"values,omitempty"`
	Asked  bool              `json:"asked,omitempty"`
	Error  string            `json:"error,omitempty"`
}

func main() {
	logrus.SetOutput(io.Discard)
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for {
		var dialect string
		var length int
		if _, err := fmt.Fscanf(in, "%s %d\n", &dialect, &length); err != nil {
			return
		}
		text := make([]byte, length)
		if _, err := io.ReadFull(in, text); err != nil {
			fmt.Fprintln(os.Stderr, "dotenv-oracle:", err)
			os.Exit(1)
		}
		_ = encoder.Encode(read(dialect, text))
	}
}

func read(dialect string, text []byte) (result answer) {
	environment := func(string) (string, bool) {
		result.Asked = true
		return "from the environment", true
	}
	var err error
	switch dialect {
	case "compose":
		result.Values = map[string]string{}
		err = dotenv.ParseWithFormat(bytes.NewReader(text), "file", result.Values, environment, dotenv.DotEnv)
	case "docker":
		var lines []string
		lines, err = kvfile.ParseFromReader(bytes.NewReader(text), environment)
		result.Values = map[string]string{}
		for _, line := range lines {
			name, value, _ := strings.Cut(line, "=")
			result.Values[name] = value
		}
	default:
		err = fmt.Errorf("no dialect %q", dialect)
	}
	if err != nil {
		return answer{Error: err.Error()}
	}
	return result
}
