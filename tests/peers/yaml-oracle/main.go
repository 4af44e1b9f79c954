// Command yaml-oracle says what go-yaml v3, called as SOPS calls it, reads in YAML documents.
//
// Input: documents, each with its length in bytes before it (32 bits, big endian). Output: one line of JSON for each:
// {"error": "…"} where SOPS would refuse it, else {"steps": [[…], …]}, the walk over the tree:
//
//	["open", list?]              a mapping (or the root) or a list begins
//	["close"]                    the innermost one ends
//	["key", name64, line, col]   a mapping key; names and values are in base64
//	["leaf", kind, canonical64, line, col, bare?, alias?]
//	["comment", text64, inline?]
//
// Lines and columns are go-yaml's, from 1; they are those of the scalar itself if it is bare: no tag, no anchor.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

const maxSteps = 6_000_000

type step []any

type walker struct {
	steps  []step
	inside map[*yaml.Node]bool
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	encoder := json.NewEncoder(out)
	for {
		var size uint32
		if err := binary.Read(in, binary.BigEndian, &size); err != nil {
			break
		}
		text := make([]byte, size)
		if _, err := io.ReadFull(in, text); err != nil {
			fmt.Fprintln(os.Stderr, "yaml-oracle:", err)
			os.Exit(1)
		}
		steps, err := read(text)
		if err != nil {
			_ = encoder.Encode(map[string]any{"error": err.Error()})
		} else {
			_ = encoder.Encode(map[string]any{"steps": steps})
		}
		if in.Buffered() == 0 {
			_ = out.Flush()
		}
	}
	_ = out.Flush()
}

func read(text []byte) (steps []step, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("panic: %v", problem)
		}
	}()
	if len(text) == 0 {
		return nil, errors.New("empty")
	}
	// SOPS decodes the first document into a map, to find duplicate keys.
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(make(map[string]any)); err != nil {
		return nil, err
	}
	w := &walker{steps: []step{}, inside: map[*yaml.Node]bool{}}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); err == io.EOF {
			return w.steps, nil
		} else if err != nil {
			return nil, err
		}
		if err := w.document(&document); err != nil {
			return nil, err
		}
	}
}

func (w *walker) add(s ...any) error {
	w.steps = append(w.steps, s)
	if len(w.steps) > maxSteps {
		return errors.New("too many steps")
	}
	return nil
}

func (w *walker) comments(text string, inline bool) {
	for _, line := range strings.Split(text, "\n") {
		if line != "" {
			_ = w.add("comment", encode(line[1:]), inline)
		}
	}
}

func (w *walker) document(document *yaml.Node) error {
	_ = w.add("open", false)
	w.comments(document.HeadComment, false)
	w.comments(document.LineComment, false)
	for _, root := range document.Content {
		for root.Kind == yaml.AliasNode {
			root = root.Alias
		}
		switch {
		case root.Kind == yaml.MappingNode:
			if err := w.mapping(root, true); err != nil {
				return err
			}
		case root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null":
			w.comments(root.HeadComment, false)
			w.comments(root.LineComment, false)
		default:
			return errors.New("the root is no mapping")
		}
	}
	w.comments(document.FootComment, false)
	return w.add("close")
}

// own is true where the collection's own comments belong inside it.
func (w *walker) mapping(node *yaml.Node, own bool) error {
	if own {
		w.comments(node.HeadComment, false)
		w.comments(node.LineComment, false)
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		simple := value.Kind == yaml.ScalarNode || value.Kind == yaml.AliasNode
		w.comments(key.HeadComment, false)
		w.comments(key.LineComment, false)
		if simple {
			w.comments(value.HeadComment, false)
			w.comments(value.LineComment, true)
		}
		var name any
		_ = key.Decode(&name)
		text, ok := name.(string)
		if !ok {
			return fmt.Errorf("a key of type %T", name)
		}
		if err := w.add("key", encode(text), key.Line, key.Column); err != nil {
			return err
		}
		if err := w.value(value, !simple, value.Kind == yaml.AliasNode); err != nil {
			return err
		}
		if simple {
			w.comments(value.FootComment, false)
		}
		w.comments(key.FootComment, false)
	}
	if own {
		w.comments(node.FootComment, false)
	}
	return nil
}

func (w *walker) sequence(node *yaml.Node, own bool) error {
	if own {
		w.comments(node.HeadComment, false)
		w.comments(node.LineComment, false)
	}
	for _, item := range node.Content {
		w.comments(item.HeadComment, false)
		w.comments(item.LineComment, true)
		if err := w.value(item, false, item.Kind == yaml.AliasNode); err != nil {
			return err
		}
		w.comments(item.FootComment, false)
	}
	if own {
		w.comments(node.FootComment, false)
	}
	return nil
}

func (w *walker) value(node *yaml.Node, own, alias bool) error {
	at := node
	if node.Kind == yaml.AliasNode {
		if w.inside[node] {
			return errors.New("an alias inside its own anchor")
		}
		w.inside[node] = true
		defer delete(w.inside, node)
		node, own = node.Alias, true
	}
	switch node.Kind {
	case yaml.MappingNode:
		_ = w.add("open", false)
		if err := w.mapping(node, own); err != nil {
			return err
		}
		return w.add("close")
	case yaml.SequenceNode:
		_ = w.add("open", true)
		if err := w.sequence(node, own); err != nil {
			return err
		}
		return w.add("close")
	}
	var value any
	if err := node.Decode(&value); err != nil {
		return err
	}
	kind, canonical, err := canonical(value)
	if err != nil {
		return err
	}
	bare := at.Style&yaml.TaggedStyle == 0 && at.Anchor == ""
	return w.add("leaf", kind, encode(canonical), at.Line, at.Column, bare, alias)
}

// canonical is what SOPS hashes for its MAC.
func canonical(value any) (kind, text string, err error) {
	switch value := value.(type) {
	case nil:
		return "null", "", nil
	case string:
		return "str", value, nil
	case int:
		return "int", strconv.Itoa(value), nil
	case bool:
		if value {
			return "bool", "True", nil
		}
		return "bool", "False", nil
	case float64:
		if math.IsNaN(value) {
			return "float", "NaN", nil
		}
		return "float", strconv.FormatFloat(value, 'f', -1, 64), nil
	case time.Time:
		text, err := value.MarshalText()
		return "time", string(text), err
	}
	return "", "", fmt.Errorf("a value of type %T", value)
}

func encode(text string) string {
	return base64.StdEncoding.EncodeToString([]byte(text))
}
