// Package discover stands in for go-discover, which finds an agent's peers by asking a dozen clouds and brings the
// libraries of them all. Agents of tests are told their peers by address.
package discover

import (
	"errors"
	"log"
)

// Provider asks one cloud.
type Provider interface {
	Addrs(args map[string]string, l *log.Logger) ([]string, error)
	Help() string
}

// Providers is what there is: nothing.
var Providers = map[string]Provider{}

// Discover asks none.
type Discover struct{}

// Option alters nothing.
type Option func(*Discover) error

// New makes one.
func New(...Option) (*Discover, error) { return &Discover{}, nil }

// WithUserAgent alters nothing.
func WithUserAgent(string) Option { return nil }

// WithProviders alters nothing.
func WithProviders(map[string]Provider) Option { return nil }

// Names of the clouds that can be asked.
func (*Discover) Names() []string { return nil }

// Addrs fails: there is nobody to ask.
func (*Discover) Addrs(string, *log.Logger) ([]string, error) {
	return nil, errors.New("no cloud is asked here")
}
