package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

type latencyResult struct {
	Alone   percentiles `json:"alone"`
	During  percentiles `json:"during"`
	RangeMs []float64   `json:"rangeMs"`
	Bytes   int         `json:"rangeBytes"`
}

// latency measures puts on one connection, first alone and then while another connection reads all keys, again and
// again. A put starts every `every`, whether the one before it is answered or not, and its time counts from when it
// should have started: a server that stops for a second shows it in every put of that second.
func latency(args []string) (*latencyResult, error) {
	var data dataSet
	set := flag.NewFlagSet("latency", flag.ExitOnError)
	data.flags(set)
	endpoint := set.String("endpoint", "127.0.0.1:2379", "host:port")
	every := set.Duration("every", 5*time.Millisecond, "between the starts of two puts")
	alone := set.Duration("alone", 3*time.Second, "how long puts run alone first")
	rounds := set.Int("ranges", 3, "how many ranges of all keys")
	stream := set.Bool("stream", false, "read with RangeStream")
	set.Parse(args)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()

	puts, err := startPuts(ctx, *endpoint, &data, *every)
	if err != nil {
		return nil, err
	}
	connection, err := dial(*endpoint)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	if _, err := count(ctx, pb.NewKVClient(connection), &data); err != nil { // connects
		return nil, err
	}
	time.Sleep(*alone)
	result := &latencyResult{}
	result.Alone, err = puts.take()
	if err != nil {
		return nil, err
	}
	read := readUnary
	if *stream {
		read = readStream
	}
	var during []time.Duration
	for range *rounds {
		puts.reset()
		started := time.Now()
		size, err := read(ctx, connection, data.all())
		if err != nil {
			return nil, fmt.Errorf("range: %w", err)
		}
		result.RangeMs = append(result.RangeMs, float64(time.Since(started).Microseconds())/1000)
		times, err := puts.times()
		if err != nil {
			return nil, err
		}
		during = append(during, times...)
		if least := data.keys * (data.keyBytes + data.valueBytes); size < least {
			return nil, fmt.Errorf("the range had %d bytes, fewer than the %d of its keys and values", size, least)
		}
		result.Bytes = size
		time.Sleep(500 * time.Millisecond)
	}
	result.During = percentilesOf(during)
	return result, nil
}

// pacedPuts collects the times of puts that it starts at a steady pace.
type pacedPuts struct {
	mutex   sync.Mutex
	done    []time.Duration
	waiting map[time.Time]struct{}
	err     error
}

func startPuts(ctx context.Context, endpoint string, data *dataSet, every time.Duration) (*pacedPuts, error) {
	connection, err := dial(endpoint)
	if err != nil {
		return nil, err
	}
	p := &pacedPuts{waiting: map[time.Time]struct{}{}}
	kv := pb.NewKVClient(connection)
	go func() {
		defer connection.Close()
		for at := time.Now().Add(every); ctx.Err() == nil; at = at.Add(every) {
			time.Sleep(time.Until(at))
			p.mutex.Lock()
			p.waiting[at] = struct{}{}
			p.mutex.Unlock()
			go func() {
				_, err := kv.Put(ctx, &pb.PutRequest{Key: []byte("paced"), Value: data.value(0)})
				p.mutex.Lock()
				defer p.mutex.Unlock()
				if _, mine := p.waiting[at]; mine {
					delete(p.waiting, at)
					p.done = append(p.done, time.Since(at))
				}
				if err != nil && p.err == nil {
					p.err = err
				}
			}()
		}
	}()
	return p, nil
}

// reset forgets the puts that were answered before.
func (p *pacedPuts) reset() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.done = nil
}

// times are those of the puts answered since the reset and, with the time so far, of those that still wait.
func (p *pacedPuts) times() ([]time.Duration, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	times := p.done
	p.done = nil
	for at := range p.waiting {
		times = append(times, time.Since(at))
		delete(p.waiting, at)
	}
	return times, p.err
}

func (p *pacedPuts) take() (percentiles, error) {
	times, err := p.times()
	return percentilesOf(times), err
}

// sizeCodec does not decode answers: it only counts their bytes. Decoding hundreds of megabytes would take the
// processor from the server that is measured.
type sizeCodec struct{}

func (sizeCodec) Name() string { return "proto" }

func (sizeCodec) Marshal(v any) (mem.BufferSlice, error) {
	data, err := proto.Marshal(v.(proto.Message))
	return mem.BufferSlice{mem.SliceBuffer(data)}, err
}

func (sizeCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*(v.(*int)) = data.Len()
	return nil
}

func readUnary(ctx context.Context, c *grpc.ClientConn, request *pb.RangeRequest) (int, error) {
	var size int
	err := c.Invoke(ctx, "/etcdserverpb.KV/Range", request, &size, grpc.ForceCodecV2(sizeCodec{}))
	return size, err
}

func readStream(ctx context.Context, c *grpc.ClientConn, request *pb.RangeRequest) (int, error) {
	description := &grpc.StreamDesc{ServerStreams: true}
	stream, err := c.NewStream(ctx, description, "/etcdserverpb.KV/RangeStream", grpc.ForceCodecV2(sizeCodec{}))
	if err != nil {
		return 0, err
	}
	if err := stream.SendMsg(request); err != nil {
		return 0, err
	}
	if err := stream.CloseSend(); err != nil {
		return 0, err
	}
	total := 0
	for {
		var size int
		switch err := stream.RecvMsg(&size); err {
		case nil:
			total += size
		case io.EOF:
			return total, nil
		default:
			return 0, err
		}
	}
}
