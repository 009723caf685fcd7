// A Consul agent, for the tests of the registry plugin: the released one, built from its own module. 1.14 is the
// last line under the MPL. This program is the command `consul agent` alone; the others would double what is
// compiled.
package main

import (
	"os"

	"github.com/hashicorp/consul/command/agent"
	"github.com/hashicorp/consul/command/cli"
	mcli "github.com/mitchellh/cli"
)

func main() {
	ui := &cli.BasicUI{BasicUi: mcli.BasicUi{Writer: os.Stdout, ErrorWriter: os.Stderr}}
	os.Exit(agent.New(ui).Run(os.Args[1:]))
}
