package main

import (
	"fmt"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const requestLimit = 1536 * 1024 // --max-request-bytes

var limitChecks = []check{
	{"values up to the limit", func(t *T) {
		for _, size := range []int{1, 16_384, 65_536, 1_000_000, requestLimit - 200} {
			value := strings.Repeat("x", size)
			t.put(t.key("a"), value)
			t.is(fmt.Sprint("value of ", size), t.value(t.key("a")) == value)
		}
	}},
	{"requests over the limit", func(t *T) {
		_, err := t.Put(t, t.key("a"), strings.Repeat("x", requestLimit))
		t.fails(err, rpctypes.ErrRequestTooLarge)
		_, err = t.Txn(t).Then(
			clientv3.OpPut(t.key("a"), strings.Repeat("x", requestLimit/2)),
			clientv3.OpPut(t.key("b"), strings.Repeat("x", requestLimit/2)),
		).Commit()
		t.fails(err, rpctypes.ErrRequestTooLarge)
		t.equal("nothing was put", t.value(t.key("a")), "(none)")
	}},
	{"messages over gRPC's limit", func(t *T) {
		put := &pb.PutRequest{Key: []byte(t.key("a")), Value: []byte(strings.Repeat("x", 3_000_000))}
		_, err := pb.NewKVClient(t.connection()).Put(t, put, grpc.MaxCallSendMsgSize(10_000_000))
		t.equal("code", status.Code(err), codes.ResourceExhausted)
		text := status.Convert(err).Message()
		t.is(text, strings.Contains(text, "received message larger than max (") && strings.Contains(text, " vs. 2097152)"))
		t.equal("the connection still works", t.value(t.key("a")), "(none)")
	}},
	{"large answers", func(t *T) {
		value := strings.Repeat("x", 1_000_000)
		for i := range 20 {
			t.put(t.key(fmt.Sprint(i)), value)
		}
		response, err := t.Get(t, t.key(), clientv3.WithPrefix())
		t.must(err)
		t.equal("keys", len(response.Kvs), 20)
		for _, kv := range response.Kvs {
			t.is("value", string(kv.Value) == value)
		}
		_, err = pb.NewKVClient(t.connection()).Range(t, &pb.RangeRequest{Key: []byte(t.key()), RangeEnd: []byte(t.key() + "0")},
			grpc.MaxCallRecvMsgSize(1000))
		t.equal("the client's own limit", status.Code(err), codes.ResourceExhausted)
		_, err = t.Delete(t, t.key(), clientv3.WithPrefix())
		t.must(err)
	}},
	{"large metadata", func(t *T) {
		ctx := metadata.AppendToOutgoingContext(t, "x-large", strings.Repeat("m", 6000), "x-bin", "\x00\xff")
		_, err := t.Put(ctx, t.key("a"), "1")
		t.must(err)
	}},
	{"a compressed request", func(t *T) {
		// What etcd does with it is the measure: it has gzip, because its own code imports it, or refuses.
		put := &pb.PutRequest{Key: []byte(t.key("a")), Value: []byte("1")}
		_, err := pb.NewKVClient(t.connection()).Put(t, put, grpc.UseCompressor(gzip.Name))
		if err != nil {
			t.equal("code", status.Code(err), codes.Unimplemented)
			text := status.Convert(err).Message()
			t.is(text, strings.Contains(text, `Decompressor is not installed for grpc-encoding "gzip"`))
		}
	}},
}
