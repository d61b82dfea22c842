// Command load puts load on an etcd server for the benchmark and prints what it measured as one line of JSON.
//
//	load fill    -endpoint 127.0.0.1:2379 -keys 1000000      many distinct keys, then checks that they are there
//	load latency -endpoint 127.0.0.1:2379 -keys 1000000      puts at a steady pace while ranges of all keys run
//	load logins  -endpoint 127.0.0.1:2379 -logins 1000       puts at a steady pace while wrong passwords are tried
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func main() {
	if len(os.Args) < 2 {
		fail("usage: load fill|latency|logins [flags]")
	}
	var result any
	var err error
	switch os.Args[1] {
	case "fill":
		result, err = fill(os.Args[2:])
	case "latency":
		result, err = latency(os.Args[2:])
	case "logins":
		result, err = logins(os.Args[2:])
	default:
		fail("no command " + os.Args[1])
	}
	if err != nil {
		fail(err.Error())
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fail(err.Error())
	}
}

func fail(text string) {
	fmt.Fprintln(os.Stderr, text)
	os.Exit(1)
}

// dataSet says which keys and values there are. Values are pseudo-random, so that nothing can compress them, and
// follow from the index, so that they can be checked.
type dataSet struct {
	keys, keyBytes, valueBytes int
	sequential                 bool
}

func (d *dataSet) flags(set *flag.FlagSet) {
	set.IntVar(&d.keys, "keys", 1_000_000, "number of keys")
	set.IntVar(&d.keyBytes, "key-bytes", 30, "length of a key")
	set.IntVar(&d.valueBytes, "value-bytes", 256, "length of a value")
	set.BoolVar(&d.sequential, "sequential", false, "in key order, not shuffled")
}

func (d *dataSet) key(index int) []byte {
	return fmt.Appendf(nil, "bench/%0*d", d.keyBytes-len("bench/"), index)
}

// at is the index of the n-th key to put: a permutation of all of them.
func (d *dataSet) at(n int) int {
	if d.sequential {
		return n
	}
	const prime = 2_147_483_647 // has no factor in common with any number of keys below it
	return int(uint64(n) * prime % uint64(d.keys))
}

func (d *dataSet) value(index int) []byte {
	value := make([]byte, d.valueBytes)
	state := uint64(index)*0x9e3779b97f4a7c15 + 1
	for i := range value {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		value[i] = byte(state)
	}
	return value
}

// all is the range of all its keys.
func (d *dataSet) all() *pb.RangeRequest {
	return &pb.RangeRequest{Key: []byte("bench/"), RangeEnd: []byte("bench0")}
}

func dial(endpoint string, options ...grpc.DialOption) (*grpc.ClientConn, error) {
	options = append(options,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)),
		// Wide windows: the server is measured, not the time between two window updates.
		grpc.WithInitialWindowSize(16<<20), grpc.WithInitialConnWindowSize(16<<20))
	return grpc.NewClient("passthrough:///"+endpoint, options...)
}

func count(ctx context.Context, kv pb.KVClient, d *dataSet) (int64, error) {
	request := d.all()
	request.CountOnly = true
	response, err := kv.Range(ctx, request)
	if err != nil {
		return 0, err
	}
	return response.Count, nil
}

type percentiles struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50Ms"`
	P99   float64 `json:"p99Ms"`
	Max   float64 `json:"maxMs"`
}

func percentilesOf(times []time.Duration) percentiles {
	if len(times) == 0 {
		return percentiles{}
	}
	slices.Sort(times)
	at := func(p float64) float64 {
		index := min(int(math.Ceil(p*float64(len(times))))-1, len(times)-1)
		return float64(times[max(index, 0)].Microseconds()) / 1000
	}
	return percentiles{len(times), at(0.50), at(0.99), at(1)}
}
