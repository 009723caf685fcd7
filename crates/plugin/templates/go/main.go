// A Rein plugin that keeps silences in a file: the place to start from.
//
// This file is what every plugin in Go needs, and can stay as it is. The backend is in backend.go.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	wire "rein.example/file-silences/pluginv1"
)

const (
	cookie      = "REIN_PLUGIN"
	cookieValue = "9d3f6c1e5b0a4b7f8e2d7c4a1f6b3e58"
	maxReply    = 4 << 20
)

func main() {
	if os.Getenv(cookie) != cookieValue {
		fmt.Fprintln(os.Stderr, "this program is a plugin of Rein: a server starts it when a backend needs it. "+
			"Name it in the server's configuration, under [plugins]")
		os.Exit(2)
	}
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	path := filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "plugin.sock")
	syscall.Umask(0o077)
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxReply), grpc.MaxSendMsgSize(maxReply))
	checked := health.NewServer()
	checked.SetServingStatus("plugin", healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(server, checked)
	backend := &backend{}
	wire.RegisterPluginServer(server, &plugin{backend: backend})
	wire.RegisterCellsServer(server, &cells{backend: backend})
	wire.RegisterSilencesServer(server, &silences{backend: backend})

	go func() {
		// The server closes standard input when the plugin is to end.
		_, _ = io.Copy(io.Discard, os.Stdin)
		ended, done := context.WithTimeout(context.Background(), time.Second)
		go func() { server.GracefulStop(); done() }()
		<-ended.Done()
		server.Stop()
	}()
	// One line, and nothing else on standard output, ever: logs belong on standard error.
	fmt.Printf("1|1|unix|%s|grpc|\n", path)
	return server.Serve(listener)
}
