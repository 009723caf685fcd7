// Services that find each other by gRPC's etcd naming, as they do without Rein: one that serves and registers
// itself, one that calls through the resolver. Speaks the line protocol described in ../python/lines.py.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/naming/endpoints"
	"go.etcd.io/etcd/client/v3/naming/resolver"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
)

type settings struct {
	Endpoints []string `json:"endpoints"`
	Target    string   `json:"target"`
	// "serve" or "call"
	Role     string            `json:"role"`
	TTL      int64             `json:"ttl"`
	Metadata map[string]string `json:"metadata"`
}

type command struct {
	// Writes its entry again, under the same lease.
	Again bool `json:"again"`
	// How many calls came, or went to whom, since this was asked last.
	Calls bool `json:"calls"`
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
	client, err := clientv3.New(clientv3.Config{Endpoints: given.Endpoints, DialTimeout: 5 * time.Second})
	if err != nil {
		return err
	}
	if given.Role == "serve" {
		return serve(client, given)
	}
	return call(client, given)
}

// Answers whoever asks, and counts.
type counting struct {
	grpc_health_v1.UnimplementedHealthServer
	calls atomic.Int64
}

func (c *counting) Check(context.Context, *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	c.calls.Add(1)
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
}

func serve(client *clientv3.Client, given settings) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := listener.Addr().String()
	health := &counting{}
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, health)
	go func() { _ = server.Serve(listener) }()

	ctx := context.Background()
	lease, err := client.Grant(ctx, given.TTL)
	if err != nil {
		return err
	}
	alive, err := client.KeepAlive(ctx, lease.ID)
	if err != nil {
		return err
	}
	go func() {
		for range alive {
		}
	}()
	manager, err := endpoints.NewManager(client, given.Target)
	if err != nil {
		return err
	}
	register := func() error {
		endpoint := endpoints.Endpoint{Addr: address}
		if given.Metadata != nil {
			endpoint.Metadata = given.Metadata
		}
		return manager.AddEndpoint(ctx, given.Target+"/"+address, endpoint, clientv3.WithLease(lease.ID))
	}
	if err := register(); err != nil {
		return err
	}
	ready := map[string]any{"ready": true, "address": address, "lease": fmt.Sprintf("%016x", lease.ID)}
	return answer(ready, func(asked command) (any, error) {
		if asked.Again {
			return map[string]bool{"done": true}, register()
		}
		return map[string]int64{"calls": health.calls.Swap(0)}, nil
	})
}

func call(client *clientv3.Client, given settings) error {
	builder, err := resolver.NewBuilder(client)
	if err != nil {
		return err
	}
	connection, err := grpc.NewClient(
		"etcd:///"+given.Target,
		grpc.WithResolvers(builder),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`),
	)
	if err != nil {
		return err
	}
	var lock sync.Mutex
	seen := map[string]int{}
	go func() {
		health := grpc_health_v1.NewHealthClient(connection)
		for {
			var who peer.Peer
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			_, err := health.Check(ctx, &grpc_health_v1.HealthCheckRequest{}, grpc.Peer(&who))
			cancel()
			lock.Lock()
			if err == nil && who.Addr != nil {
				seen[who.Addr.String()]++
			} else {
				seen["failed"]++
			}
			lock.Unlock()
			time.Sleep(2 * time.Millisecond)
		}
	}()
	return answer(map[string]bool{"ready": true}, func(command) (any, error) {
		lock.Lock()
		defer lock.Unlock()
		said := map[string]any{"seen": seen}
		seen = map[string]int{}
		return said, nil
	})
}

// One answer for each line, until there are no more.
func answer(ready any, to func(command) (any, error)) error {
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(ready); err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var asked command
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return err
		}
		said, err := to(asked)
		if err != nil {
			return err
		}
		if err := out.Encode(said); err != nil {
			return err
		}
	}
	return lines.Err()
}
