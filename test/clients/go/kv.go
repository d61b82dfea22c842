package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

var kvChecks = []check{
	{"put and get", func(t *T) {
		first := t.put(t.key("a"), "1")
		t.equal("the revision of the next put", t.put(t.key("a"), "2"), first+1)
		response, err := t.Get(t, t.key("a"))
		t.must(err)
		kv := response.Kvs[0]
		t.equal("value", string(kv.Value), "2")
		t.equal("revisions", []int64{kv.CreateRevision, kv.ModRevision, kv.Version}, []int64{first, first + 1, 2})
		t.is("the header names cluster, member and term",
			response.Header.ClusterId != 0 && response.Header.MemberId != 0 && response.Header.RaftTerm != 0)
		t.equal("count", response.Count, int64(1))
	}},
	{"put with previous, ignored value, ignored lease", func(t *T) {
		t.put(t.key("a"), "1")
		response, err := t.Put(t, t.key("a"), "2", clientv3.WithPrevKV())
		t.must(err)
		t.equal("previous value", string(response.PrevKv.Value), "1")
		_, err = t.Put(t, t.key("none"), "", clientv3.WithIgnoreValue())
		t.fails(err, rpctypes.ErrKeyNotFound)
		t.put(t.key("a"), "", clientv3.WithIgnoreValue())
		t.equal("value", t.value(t.key("a")), "2")
		kv := pb.NewKVClient(t.connection())
		_, err = kv.Put(t, &pb.PutRequest{Key: []byte("a"), Value: []byte("v"), IgnoreValue: true})
		t.fails(err, rpctypes.ErrGRPCValueProvided)
		_, err = kv.Put(t, &pb.PutRequest{Key: []byte("a"), Lease: 1, IgnoreLease: true})
		t.fails(err, rpctypes.ErrGRPCLeaseProvided)
	}},
	{"an empty key is refused", func(t *T) {
		_, err := t.Put(t, "", "v")
		t.fails(err, rpctypes.ErrEmptyKey)
		_, err = t.Get(t, "")
		t.fails(err, rpctypes.ErrEmptyKey)
		_, err = t.Delete(t, "")
		t.fails(err, rpctypes.ErrEmptyKey)
		_, err = pb.NewKVClient(t.connection()).Put(t, &pb.PutRequest{})
		t.equal("code", status.Code(err), codes.InvalidArgument)
	}},
	{"keys and values of any bytes", func(t *T) {
		key := t.key("\x00\x01\xfe\xff")
		value := "\xff\x00\n" + strings.Repeat("é", 100)
		t.put(key, value)
		t.equal("value", t.value(key), value)
		t.put(t.key("empty"), "")
		t.equal("value", t.value(t.key("empty")), "")
	}},
	{"ranges", rangesCheck},
	{"range order and limits", orderCheck},
	{"range at past and future revisions", func(t *T) {
		first := t.put(t.key("a"), "1")
		t.put(t.key("a"), "2")
		_, err := t.Delete(t, t.key("a"))
		t.must(err)
		for revision, want := range map[int64]string{first - 1: "", first: "1", first + 1: "2", first + 2: ""} {
			response, err := t.Get(t, t.key("a"), clientv3.WithRev(revision))
			t.must(err)
			got := ""
			for _, kv := range response.Kvs {
				got = string(kv.Value)
			}
			t.equal(fmt.Sprintf("value at %d", revision), got, want)
			t.equal("header's revision", response.Header.Revision, first+2)
		}
		_, err = t.Get(t, t.key("a"), clientv3.WithRev(first+1000))
		t.fails(err, rpctypes.ErrFutureRev)
	}},
	{"range of many keys as a stream", func(t *T) {
		for i := range 300 {
			t.put(t.key(fmt.Sprintf("%03d", i)), strings.Repeat("v", 10_000))
		}
		whole, err := t.Get(t, t.key(), clientv3.WithPrefix())
		t.must(err)
		stream, err := t.GetStream(t, t.key(), clientv3.WithPrefix())
		t.must(err)
		joined, err := clientv3.GetStreamToGetResponse(stream)
		t.must(err)
		t.equal("keys", len(joined.Kvs), 300)
		for i, kv := range joined.Kvs {
			t.equal("key", string(kv.Key), string(whole.Kvs[i].Key))
			t.equal("value", string(kv.Value), string(whole.Kvs[i].Value))
		}
		t.equal("count", joined.Count, int64(300))
	}},
	{"last message of a stream: rows, revision and count", func(t *T) {
		for i := range 30 {
			t.put(t.key(fmt.Sprintf("%03d", i)), strings.Repeat("v", 100_000))
		}
		for _, limit := range []int{0, 1, 29, 30, 31} {
			stream, err := t.GetStream(t, t.key(), clientv3.WithPrefix(), clientv3.WithLimit(int64(limit)))
			t.must(err)
			var last clientv3.RangeStreamResponse
			rows := 0
			for message := range stream {
				t.must(message.Err())
				if last.RangeResponse != nil && last.RangeResponse.Header != nil {
					t.fatalf("limit %d: a header came before the last message", limit)
				}
				rows += len(message.RangeResponse.Kvs)
				last = message
			}
			want := limit
			if limit == 0 || limit > 30 {
				want = 30
			}
			t.equal("rows", rows, want)
			if len(last.RangeResponse.Kvs) == 0 || last.RangeResponse.Header == nil {
				t.fatalf("limit %d: the last message has %d rows and header %v",
					limit, len(last.RangeResponse.Kvs), last.RangeResponse.Header)
			}
			t.equal("count", last.RangeResponse.Count, int64(30))
			t.equal("more", last.RangeResponse.More, want < 30)
		}
	}},
	{"delete", func(t *T) {
		for _, key := range []string{"a", "b", "c"} {
			t.put(t.key(key), key)
		}
		before := t.put(t.key("d"), "d")
		response, err := t.Delete(t, t.key("b"), clientv3.WithPrevKV())
		t.must(err)
		t.equal("deleted", response.Deleted, int64(1))
		t.equal("previous", string(response.PrevKvs[0].Value), "b")
		response, err = t.Delete(t, t.key("b"))
		t.must(err)
		t.equal("deleted again", response.Deleted, int64(0))
		t.equal("revision after deleting nothing", response.Header.Revision, before+1)
		response, err = t.Delete(t, t.key(), clientv3.WithPrefix())
		t.must(err)
		t.equal("deleted by prefix", response.Deleted, int64(3))
		t.equal("revision after deleting several", response.Header.Revision, before+2)
	}},
	{"compaction", func(t *T) {
		first := t.put(t.key("a"), "1")
		second := t.put(t.key("a"), "2")
		t.put(t.key("gone"), "x")
		_, err := t.Delete(t, t.key("gone"))
		t.must(err)
		last := t.put(t.key("a"), "3")
		_, err = t.Compact(t, second, clientv3.WithCompactPhysical())
		t.must(err)
		_, err = t.Get(t, t.key("a"), clientv3.WithRev(first))
		t.fails(err, rpctypes.ErrCompacted)
		response, err := t.Get(t, t.key("a"), clientv3.WithRev(second))
		t.must(err)
		t.equal("value at the compacted revision", string(response.Kvs[0].Value), "2")
		_, err = t.Compact(t, second)
		t.fails(err, rpctypes.ErrCompacted)
		_, err = t.Compact(t, last+1000)
		t.fails(err, rpctypes.ErrFutureRev)
		_, err = t.Compact(t, last)
		t.must(err)
		t.equal("value", t.value(t.key("a")), "3")
	}},
	{"a deadline that has passed", func(t *T) {
		short, cancel := context.WithTimeout(t, time.Microsecond)
		defer cancel()
		_, err := t.Get(short, t.key("a"))
		t.is("deadline exceeded: "+fmt.Sprint(err), err == context.DeadlineExceeded || status.Code(err) == codes.DeadlineExceeded)
	}},
	{"a method that is not there", func(t *T) {
		err := t.connection().Invoke(t, "/etcdserverpb.KV/Nothing", &pb.RangeRequest{}, &pb.RangeResponse{})
		t.equal("code", status.Code(err), codes.Unimplemented)
		err = t.connection().Invoke(t, "/nothing.Here/Range", &pb.RangeRequest{}, &pb.RangeResponse{})
		t.equal("code", status.Code(err), codes.Unimplemented)
	}},
	{"many puts at once on one connection", func(t *T) {
		before := t.put(t.key("start"), "")
		errs := make(chan error)
		for i := range 500 {
			go func() {
				_, err := t.Put(t, t.key(fmt.Sprint(i)), fmt.Sprint(i))
				errs <- err
			}()
		}
		for range 500 {
			t.must(<-errs)
		}
		t.equal("revision", t.put(t.key("end"), ""), before+501)
		response, err := t.Get(t, t.key(), clientv3.WithPrefix(), clientv3.WithCountOnly())
		t.must(err)
		t.equal("count", response.Count, int64(502))
	}},
}

func rangesCheck(t *T) {
	for _, key := range []string{"a", "b", "ba", "c", "d"} {
		t.put(t.key(key), key)
	}
	for want, options := range map[string][]clientv3.OpOption{
		"b":        {},
		"b ba":     {clientv3.WithPrefix()},
		"b ba c":   {clientv3.WithRange(t.key("d"))},
		"b ba c d": {clientv3.WithRange(clientv3.GetPrefixRangeEnd(t.key()))},
	} {
		t.equal("keys", keysOf(t, t.key("b"), options...), want)
		serializable := append(options, clientv3.WithSerializable())
		t.equal("keys, serializable", keysOf(t, t.key("b"), serializable...), want)
	}
	t.equal("an empty range", keysOf(t, t.key("c"), clientv3.WithRange(t.key("b"))), "")
	response, err := t.Get(t, t.key("b"), clientv3.WithFromKey(), clientv3.WithLimit(2))
	t.must(err)
	t.equal("first from a key", string(response.Kvs[0].Key), t.key("b"))
	response, err = t.Get(t, "\x00", clientv3.WithFromKey(), clientv3.WithCountOnly())
	t.must(err)
	t.is("all keys", response.Count >= 5 && len(response.Kvs) == 0)
	response, err = t.Get(t, t.key(), clientv3.WithPrefix(), clientv3.WithKeysOnly())
	t.must(err)
	t.equal("keys only", []any{len(response.Kvs), len(response.Kvs[0].Value)}, []any{5, 0})
	response, err = t.Get(t, t.key(), clientv3.WithPrefix(), clientv3.WithLimit(2))
	t.must(err)
	t.equal("a page", []any{len(response.Kvs), response.More, response.Count}, []any{2, true, int64(5)})
	response, err = t.Get(t, t.key(), clientv3.WithPrefix(), clientv3.WithLimit(5))
	t.must(err)
	t.equal("the last page", []any{len(response.Kvs), response.More}, []any{5, false})
}

func orderCheck(t *T) {
	first := t.put(t.key("c"), "3")
	for _, kv := range []string{"a9", "b5", "b4", "c7", "c2"} {
		t.put(t.key(kv[:1]), kv[1:])
	}
	prefix := clientv3.WithPrefix()
	for _, c := range []struct {
		target clientv3.SortTarget
		ascend string
	}{
		{clientv3.SortByKey, "a b c"},
		{clientv3.SortByCreateRevision, "c a b"},
		{clientv3.SortByModRevision, "a b c"},
		{clientv3.SortByVersion, "a b c"},
		{clientv3.SortByValue, "c b a"},
	} {
		words := strings.Fields(c.ascend)
		descend := words[2] + " " + words[1] + " " + words[0]
		t.equal("ascending", keysOf(t, t.key(), prefix, clientv3.WithSort(c.target, clientv3.SortAscend)), c.ascend)
		t.equal("descending", keysOf(t, t.key(), prefix, clientv3.WithSort(c.target, clientv3.SortDescend)), descend)
		one := keysOf(t, t.key(), prefix, clientv3.WithSort(c.target, clientv3.SortDescend), clientv3.WithLimit(1))
		t.equal("the last one", one, words[2])
	}
	t.equal("at least", keysOf(t, t.key(), prefix, clientv3.WithMinModRev(first+3)), "b c")
	t.equal("at most", keysOf(t, t.key(), prefix, clientv3.WithMaxModRev(first+3)), "a b")
	t.equal("created at least", keysOf(t, t.key(), prefix, clientv3.WithMinCreateRev(first+1)), "a b")
	t.equal("created at most", keysOf(t, t.key(), prefix, clientv3.WithMaxCreateRev(first+1)), "a c")
	request := &pb.RangeRequest{Key: []byte(t.key()), SortOrder: 7}
	_, err := pb.NewKVClient(t.connection()).Range(t, request)
	t.fails(err, rpctypes.ErrGRPCInvalidSortOption)
}

// keysOf are the last parts of the keys found.
func keysOf(t *T, key string, options ...clientv3.OpOption) string {
	response, err := t.Get(t, key, options...)
	t.must(err)
	var keys []string
	for _, kv := range response.Kvs {
		keys = append(keys, strings.TrimPrefix(string(kv.Key), t.key()+"/"))
	}
	return strings.Join(keys, " ")
}
