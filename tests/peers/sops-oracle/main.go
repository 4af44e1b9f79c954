// Command sops-oracle encrypts and decrypts with SOPS's own code, without a process for each document.
//
// Input: frames, each a line of JSON {"do": "encrypt" | "decrypt", "format": …, "rule": {…}, "length": N} and N bytes of
// text. Output: after each frame one line of JSON: {"text64": "…"}, or {"failed": STEP, "error": "…"}. The recipient is
// the first argument; the identity comes from SOPS_AGE_KEY_FILE, as in the program itself.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/age"
	"github.com/getsops/sops/v3/cmd/sops/common"
	"github.com/getsops/sops/v3/config"
	"github.com/getsops/sops/v3/keyservice"
	"github.com/getsops/sops/v3/logging"
	"github.com/getsops/sops/v3/stores/dotenv"
	"github.com/getsops/sops/v3/stores/ini"
	jsonstore "github.com/getsops/sops/v3/stores/json"
	"github.com/getsops/sops/v3/stores/yaml"
	"github.com/getsops/sops/v3/version"
	"github.com/sirupsen/logrus"
)

type frame struct {
	Do     string `json:"do"`
	Format string `json:"format"`
	Rule   rule   `json:"rule"`
	Length int    `json:"length"`
}

type rule struct {
	UnencryptedSuffix       string `json:"unencrypted_suffix"`
	EncryptedSuffix         string `json:"encrypted_suffix"`
	UnencryptedRegex        string `json:"unencrypted_regex"`
	EncryptedRegex          string `json:"encrypted_regex"`
	UnencryptedCommentRegex string `json:"unencrypted_comment_regex"`
	EncryptedCommentRegex   string `json:"encrypted_comment_regex"`
	MACOnlyEncrypted        bool   `json:"mac_only_encrypted"`
}

type answer struct {
	Text64 *string `json:"text64,omitempty"`
	Failed string  `json:"failed,omitempty"`
	Error  string  `json:"error,omitempty"`
}

func main() {
	logging.SetLevel(logrus.PanicLevel)
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	encoder := json.NewEncoder(out)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked frame
		if err := json.Unmarshal(line, &asked); err != nil {
			fmt.Fprintln(os.Stderr, "sops-oracle:", err)
			os.Exit(1)
		}
		text := make([]byte, asked.Length)
		if _, err := io.ReadFull(in, text); err != nil {
			fmt.Fprintln(os.Stderr, "sops-oracle:", err)
			os.Exit(1)
		}
		_ = encoder.Encode(do(asked, text, os.Args[1]))
		_ = out.Flush()
	}
}

func do(asked frame, text []byte, recipient string) (result answer) {
	step := "load"
	defer func() {
		if reason := recover(); reason != nil {
			result = answer{Failed: "panic in " + step, Error: fmt.Sprint(reason)}
		}
	}()
	failed := func(err error) answer { return answer{Failed: step, Error: err.Error()} }
	store := named(asked.Format)
	services := []keyservice.KeyServiceClient{keyservice.NewLocalClient()}
	var emitted []byte
	if asked.Do == "encrypt" {
		branches, err := store.LoadPlainFile(text)
		if err != nil {
			return failed(err)
		}
		if len(branches) == 0 {
			return answer{Failed: step, Error: "no documents"}
		}
		for _, branch := range branches {
			if store.HasSopsTopLevelKey(branch) {
				return answer{Failed: step, Error: "already encrypted"}
			}
		}
		step = "encrypt"
		key, err := age.MasterKeyFromRecipient(recipient)
		if err != nil {
			return failed(err)
		}
		tree := sops.Tree{Branches: branches, Metadata: metadata(asked.Rule, key)}
		dataKey, errs := tree.GenerateDataKeyWithKeyServices(services)
		if len(errs) > 0 {
			return failed(errs[0])
		}
		if err := common.EncryptTree(common.EncryptTreeOpts{DataKey: dataKey, Tree: &tree, Cipher: aes.NewCipher()}); err != nil {
			return failed(err)
		}
		step = "emit"
		if emitted, err = store.EmitEncryptedFile(tree); err != nil {
			return failed(err)
		}
	} else {
		tree, err := store.LoadEncryptedFile(text)
		if err != nil {
			return failed(err)
		}
		step = "decrypt"
		opts := common.DecryptTreeOpts{Cipher: aes.NewCipher(), Tree: &tree, KeyServices: services}
		if _, err = common.DecryptTree(opts); err != nil {
			return failed(err)
		}
		step = "emit"
		if emitted, err = store.EmitPlainFile(tree.Branches); err != nil {
			return failed(err)
		}
	}
	encoded := base64.StdEncoding.EncodeToString(emitted)
	return answer{Text64: &encoded}
}

func metadata(rule rule, key *age.MasterKey) sops.Metadata {
	if rule == choosesNothing(rule) {
		rule.UnencryptedSuffix = sops.DefaultUnencryptedSuffix
	}
	return sops.Metadata{
		KeyGroups:               []sops.KeyGroup{{key}},
		UnencryptedSuffix:       rule.UnencryptedSuffix,
		EncryptedSuffix:         rule.EncryptedSuffix,
		UnencryptedRegex:        rule.UnencryptedRegex,
		EncryptedRegex:          rule.EncryptedRegex,
		UnencryptedCommentRegex: rule.UnencryptedCommentRegex,
		EncryptedCommentRegex:   rule.EncryptedCommentRegex,
		MACOnlyEncrypted:        rule.MACOnlyEncrypted,
		Version:                 version.Version,
	}
}

// choosesNothing is the rule without what it says of leaves.
func choosesNothing(of rule) rule { return rule{MACOnlyEncrypted: of.MACOnlyEncrypted} }

func named(name string) sops.Store {
	switch name {
	case "yaml":
		return yaml.NewStore(&config.YAMLStoreConfig{})
	case "json":
		return jsonstore.NewStore(&config.JSONStoreConfig{Indent: -1})
	case "dotenv":
		return dotenv.NewStore(&config.DotenvStoreConfig{})
	case "ini":
		return ini.NewStore(&config.INIStoreConfig{})
	}
	return jsonstore.NewBinaryStore(&config.JSONBinaryStoreConfig{Indent: -1})
}
