// A service that asks flagd's in-process provider for Go.
// Speaks the line protocol described in ../python/lines.py.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	flagd "github.com/open-feature/go-sdk-contrib/providers/flagd/pkg"
	"github.com/open-feature/go-sdk/openfeature"
)

type settings struct {
	Host       string `json:"host"`
	Port       uint16 `json:"port"`
	Selector   string `json:"selector"`
	ProviderID string `json:"provider_id"`
	Default    bool   `json:"default"`
}

type command struct {
	Eval    string         `json:"eval"`
	Key     string         `json:"key"`
	Share   string         `json:"share"`
	Keys    int            `json:"keys"`
	Context map[string]any `json:"context"`
}

type answer struct {
	Value    bool           `json:"value"`
	Reason   string         `json:"reason"`
	Variant  string         `json:"variant"`
	Error    string         `json:"error,omitempty"`
	Metadata map[string]any `json:"metadata"`
}

type share struct {
	False int    `json:"false"`
	Bits  string `json:"bits"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var given settings
	if err := json.Unmarshal([]byte(os.Args[1]), &given); err != nil {
		return err
	}
	options := []flagd.ProviderOption{
		flagd.WithInProcessResolver(),
		flagd.WithHost(given.Host),
		flagd.WithPort(given.Port),
		flagd.WithSelector(given.Selector),
		flagd.WithProviderID(given.ProviderID),
	}
	provider, err := flagd.NewProvider(options...)
	if err != nil {
		return err
	}
	if err := openfeature.SetProviderAndWait(provider); err != nil {
		return err
	}
	client := openfeature.NewClient("tests")
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(map[string]bool{"ready": true}); err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var asked command
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return err
		}
		var said any
		if asked.Eval != "" {
			said = evaluate(client, given.Default, asked.Eval, asked.Key, asked.Context)
		} else {
			var bits strings.Builder
			for n := range asked.Keys {
				one := evaluate(client, given.Default, asked.Share, fmt.Sprintf("user-%d", n), asked.Context)
				bits.WriteString(map[bool]string{true: "1", false: "0"}[one.Value])
			}
			said = share{False: strings.Count(bits.String(), "0"), Bits: bits.String()}
		}
		if err := out.Encode(said); err != nil {
			return err
		}
	}
	return lines.Err()
}

func evaluate(client *openfeature.Client, fallback bool, flag, key string, attributes map[string]any) answer {
	details, err := client.BooleanValueDetails(
		context.Background(), flag, fallback, openfeature.NewEvaluationContext(key, attributes),
	)
	said := answer{
		Value:    details.Value,
		Reason:   string(details.Reason),
		Variant:  details.Variant,
		Metadata: details.FlagMetadata,
	}
	if err != nil {
		said.Error = err.Error()
	}
	return said
}
