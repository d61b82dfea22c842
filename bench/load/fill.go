package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

type fillResult struct {
	Puts       int     `json:"puts"`
	Seconds    float64 `json:"seconds"`
	PutsPerSec float64 `json:"putsPerSecond"`
	CountMs    float64 `json:"countMs"`
}

func fill(args []string) (*fillResult, error) {
	var data dataSet
	set := flag.NewFlagSet("fill", flag.ExitOnError)
	data.flags(set)
	endpoint := set.String("endpoint", "127.0.0.1:2379", "host:port")
	connections := set.Int("connections", 10, "connections")
	streams := set.Int("streams", 100, "puts under way on each connection")
	set.Parse(args)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()

	var next atomic.Int64
	failed := make(chan error, 1)
	var workers sync.WaitGroup
	started := time.Now()
	for range *connections {
		connection, err := dial(*endpoint)
		if err != nil {
			return nil, err
		}
		defer connection.Close()
		kv := pb.NewKVClient(connection)
		for range *streams {
			workers.Go(func() {
				for n := int(next.Add(1)) - 1; n < data.keys && ctx.Err() == nil; n = int(next.Add(1)) - 1 {
					index := data.at(n)
					put := &pb.PutRequest{Key: data.key(index), Value: data.value(index)}
					if _, err := kv.Put(ctx, put); err != nil {
						select {
						case failed <- fmt.Errorf("put %d: %w", n, err):
							cancel()
						default:
						}
						return
					}
				}
			})
		}
	}
	workers.Wait()
	seconds := time.Since(started).Seconds()
	select {
	case err := <-failed:
		return nil, err
	default:
	}
	countMs, err := verify(ctx, *endpoint, &data)
	if err != nil {
		return nil, err
	}
	return &fillResult{data.keys, seconds, float64(data.keys) / seconds, countMs}, nil
}

// verify counts the keys, reads every thousandth and gives the milliseconds that the count took.
func verify(ctx context.Context, endpoint string, data *dataSet) (float64, error) {
	connection, err := dial(endpoint)
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	kv := pb.NewKVClient(connection)
	started := time.Now()
	found, err := count(ctx, kv, data)
	if err != nil {
		return 0, err
	}
	took := time.Since(started)
	if found != int64(data.keys) {
		return 0, fmt.Errorf("%d keys after %d puts", found, data.keys)
	}
	for index := 0; index < data.keys; index += 1000 {
		response, err := kv.Range(ctx, &pb.RangeRequest{Key: data.key(index)})
		if err != nil {
			return 0, err
		}
		if len(response.Kvs) != 1 || !bytes.Equal(response.Kvs[0].Value, data.value(index)) {
			return 0, fmt.Errorf("key %s has not the value that was put", data.key(index))
		}
	}
	return float64(took.Microseconds()) / 1000, nil
}
