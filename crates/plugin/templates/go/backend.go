// The backend: a JSON file of silences. Replace this file with calls to yours.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"

	wire "rein.example/file-silences/pluginv1"
)

const schema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "required": ["file"],
  "properties": {
    "file": { "type": "string", "minLength": 1, "description": "Path of the file that holds the silences" }
  }
}`

const (
	page     = 10
	maxCells = 500
)

// kept is the whole file. Another incarnation each time it is made: so Rein knows that it forgot.
type kept struct {
	Incarnation string
	Next        int
	Silences    []object
}

// object is one silence. Cell and change are the marker by which a repeated write finds its own.
type object struct{ ID, Cell, Change, Value string }

// backend is what is known once the plugin was configured. All else is in the file.
type backend struct{ file atomic.Pointer[string] }

// with lets act look at the file or alter it, as one step, also beside another process.
func (b *backend) with(act func(*kept) *wire.Fault) *wire.Fault {
	path := b.file.Load()
	if path == nil {
		return fault(wire.FaultKind_FAULT_KIND_NOT_DONE, "no backend was configured yet")
	}
	lock, err := os.OpenFile(*path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return unreachable(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return unreachable(err)
	}
	before, err := os.ReadFile(*path)
	all := kept{Incarnation: rand.Text(), Next: 1}
	if err == nil {
		err = json.Unmarshal(before, &all)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unreachable(err)
	}
	if f := act(&all); f != nil {
		return f
	}
	after, err := json.MarshalIndent(all, "", " ")
	if err != nil || bytes.Equal(before, after) {
		return nil
	}
	// Renamed into place, so that a reader without the lock never meets half a file.
	if err := os.WriteFile(*path+".new", after, 0o600); err != nil {
		return unreachable(err)
	}
	if err := os.Rename(*path+".new", *path); err != nil {
		return unreachable(err)
	}
	return nil
}

func fault(kind wire.FaultKind, format string, args ...any) *wire.Fault {
	return &wire.Fault{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

func unreachable(err error) *wire.Fault {
	return fault(wire.FaultKind_FAULT_KIND_UNREACHABLE, "%v", err)
}

// canonical is the one spelling of a value: equal text means the same in force.
func canonical(text string) (string, error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	var value map[string]any
	if err := decoder.Decode(&value); err != nil {
		return "", fmt.Errorf("the value is no JSON object: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) || value == nil {
		return "", errors.New("the value is no JSON object")
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(out.Bytes(), []byte("\n"))), nil
}

type plugin struct {
	wire.UnimplementedPluginServer
	backend *backend
}

func (p *plugin) Describe(context.Context, *wire.DescribeRequest) (*wire.DescribeReply, error) {
	return &wire.DescribeReply{
		Name:         "file-silences",
		Version:      "0.1.0",
		ConfigSchema: schema,
		Repeat:       wire.Repeat_REPEAT_MARKER,
		Nouns:        []string{"silence"},
		Cannot:       []string{"say which alerts a silence hushes"},
		WhenReinDies: "silences stay until somebody removes them from the file",
	}, nil
}

func (p *plugin) Configure(_ context.Context, request *wire.ConfigureRequest) (*wire.ConfigureReply, error) {
	wrong := func(field, message string) (*wire.ConfigureReply, error) {
		return &wire.ConfigureReply{Errors: []*wire.FieldError{{Field: field, Message: message}}}, nil
	}
	var config struct{ File string }
	if err := json.Unmarshal([]byte(request.Config), &config); err != nil {
		return wrong("", err.Error())
	}
	if !filepath.IsAbs(config.File) {
		return wrong("/file", "the path is not absolute; write it from the root")
	}
	if found, err := os.Stat(filepath.Dir(config.File)); err != nil || !found.IsDir() {
		return wrong("/file", "its directory does not exist; make it first")
	}
	p.backend.file.Store(&config.File)
	return &wire.ConfigureReply{}, nil
}

func (p *plugin) Check(context.Context, *wire.CheckRequest) (*wire.CheckReply, error) {
	finding := &wire.Finding{Grade: wire.Grade_GRADE_OK, Subject: "the file"}
	f := p.backend.with(func(all *kept) *wire.Fault {
		finding.Message = fmt.Sprintf("it can be read and written, and holds %d silences", len(all.Silences))
		return nil
	})
	if f != nil {
		finding.Grade, finding.Message = wire.Grade_GRADE_ERROR, f.Message
	}
	return &wire.CheckReply{Findings: []*wire.Finding{finding}}, nil
}

type cells struct {
	wire.UnimplementedCellsServer
	backend *backend
}

func (c *cells) Resolve(_ context.Context, request *wire.ResolveRequest) (*wire.ResolveReply, error) {
	reply := &wire.ResolveReply{}
	for _, target := range request.Targets {
		if target.Noun != "silence" {
			kind := wire.FaultKind_FAULT_KIND_UNSUPPORTED
			f := fault(kind, "only silences are kept in the file, no %s", target.Noun)
			return &wire.ResolveReply{Fault: f}, nil
		}
		reply.Cells = append(reply.Cells, target.Name)
	}
	return reply, nil
}

func (c *cells) Observe(_ context.Context, request *wire.ObserveRequest) (*wire.ObserveReply, error) {
	if len(request.Cells) > maxCells {
		kind := wire.FaultKind_FAULT_KIND_INVALID
		f := fault(kind, "%d cells are asked for; %d are the most", len(request.Cells), maxCells)
		return &wire.ObserveReply{Fault: f}, nil
	}
	reply := &wire.ObserveReply{}
	reply.Fault = c.backend.with(func(all *kept) *wire.Fault {
		for _, cell := range request.Cells {
			seen := &wire.Seen{Cell: cell, Incarnation: all.Incarnation, Peers: 1}
			for i := range all.Silences {
				if mine := &all.Silences[i]; mine.Cell == cell {
					if seen.Copies == 0 {
						seen.Value, seen.Object = &mine.Value, mine.ID
					}
					seen.Copies++
				}
			}
			reply.Seen = append(reply.Seen, seen)
		}
		return nil
	})
	return reply, nil
}

func (c *cells) Apply(_ context.Context, request *wire.ApplyRequest) (*wire.ApplyReply, error) {
	want := ""
	if request.Want != nil {
		var err error
		if want, err = canonical(*request.Want); err != nil {
			return &wire.ApplyReply{Fault: fault(wire.FaultKind_FAULT_KIND_INVALID, "%v", err)}, nil
		}
	}
	return &wire.ApplyReply{Fault: c.backend.with(func(all *kept) *wire.Fault {
		var stay []object
		found := false
		for _, silence := range all.Silences {
			switch {
			case silence.Cell != request.Cell:
				stay = append(stay, silence)
			// Whatever else carries the marker is a copy: the oldest stays, the others go.
			case request.Want != nil && !found:
				found = true
				silence.Value, silence.Change = want, request.Change
				stay = append(stay, silence)
			}
		}
		if request.Want != nil && !found {
			id := fmt.Sprintf("silence-%d", all.Next)
			all.Next++
			stay = append(stay, object{ID: id, Cell: request.Cell, Change: request.Change, Value: want})
		}
		all.Silences = stay
		return nil
	})}, nil
}

type silences struct {
	wire.UnimplementedSilencesServer
	backend *backend
}

func (s *silences) ListSilences(
	_ context.Context, request *wire.ListSilencesRequest,
) (*wire.ListSilencesReply, error) {
	begin, err := strconv.Atoi("0" + request.Page)
	if err != nil {
		f := fault(wire.FaultKind_FAULT_KIND_INVALID, "%q is no page", request.Page)
		return &wire.ListSilencesReply{Fault: f}, nil
	}
	reply := &wire.ListSilencesReply{}
	reply.Fault = s.backend.with(func(all *kept) *wire.Fault {
		for i := begin; i < len(all.Silences) && i < begin+page; i++ {
			reply.Silences = append(reply.Silences, listed(all.Silences[i]))
		}
		if begin+page < len(all.Silences) {
			reply.Next = strconv.Itoa(begin + page)
		}
		return nil
	})
	return reply, nil
}

func listed(silence object) *wire.Silence {
	var value struct {
		Starts, Ends, Author, Comment string
		Matchers                      []struct{ Name, Op, Value string }
	}
	// What is not as expected is shown empty.
	_ = json.Unmarshal([]byte(silence.Value), &value)
	shown := &wire.Silence{
		Id: silence.ID, Cell: silence.Cell, State: "active",
		Starts: value.Starts, Ends: value.Ends, Author: value.Author, Comment: value.Comment,
	}
	for _, m := range value.Matchers {
		shown.Matchers = append(shown.Matchers, &wire.Matcher{Name: m.Name, Op: m.Op, Value: m.Value})
	}
	return shown
}

func (s *silences) MatchAlerts(
	context.Context, *wire.MatchAlertsRequest,
) (*wire.MatchAlertsReply, error) {
	// There are no alerts here. A backend that has them counts them.
	return &wire.MatchAlertsReply{}, nil
}
