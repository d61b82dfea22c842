package main

import (
	"context"
	"fmt"
	"math"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
)

// rawWatch is a watch stream without clientv3, which hides watch ids and fragments.
type rawWatch struct {
	t      *T
	stream pb.Watch_WatchClient
}

func openWatch(t *T, ctx context.Context) rawWatch {
	stream, err := pb.NewWatchClient(t.connection()).Watch(ctx, grpc.MaxCallRecvMsgSize(math.MaxInt32))
	t.must(err)
	return rawWatch{t, stream}
}

func (w rawWatch) create(request *pb.WatchCreateRequest) {
	w.t.must(w.stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: request}}))
}

func (w rawWatch) cancel(id int64) {
	request := &pb.WatchCancelRequest{WatchId: id}
	w.t.must(w.stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CancelRequest{CancelRequest: request}}))
}

func (w rawWatch) progress() {
	request := &pb.WatchProgressRequest{}
	w.t.must(w.stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_ProgressRequest{ProgressRequest: request}}))
}

func (w rawWatch) next() *pb.WatchResponse {
	response, err := w.stream.Recv()
	w.t.must(err)
	return response
}

var rawWatchChecks = []check{
	{"watch ids", func(t *T) {
		w := openWatch(t, t)
		key := []byte(t.key("a"))
		w.create(&pb.WatchCreateRequest{Key: key})
		first := w.next()
		t.equal("first id, created", []any{first.WatchId, first.Created}, []any{int64(0), true})
		w.create(&pb.WatchCreateRequest{Key: key, WatchId: 7})
		t.equal("chosen id", w.next().WatchId, int64(7))
		w.create(&pb.WatchCreateRequest{Key: key, WatchId: 7})
		again := w.next()
		t.equal("an id in use", []any{again.WatchId, again.Canceled, again.CancelReason},
			[]any{int64(-1), true, "mvcc: duplicate watch ID provided on the WatchStream"})
		w.create(&pb.WatchCreateRequest{Key: key})
		t.equal("the next id", w.next().WatchId, int64(1))
		t.put(t.key("a"), "1")
		seen := map[int64]bool{}
		for range 3 {
			response := w.next()
			t.equal("events", len(response.Events), 1)
			seen[response.WatchId] = true
		}
		t.equal("ids with an event", seen, map[int64]bool{0: true, 1: true, 7: true})
	}},
	{"watch cancel by id", func(t *T) {
		w := openWatch(t, t)
		w.create(&pb.WatchCreateRequest{Key: []byte(t.key("a"))})
		w.create(&pb.WatchCreateRequest{Key: []byte(t.key("a"))})
		w.next()
		w.next()
		w.cancel(0)
		cancelled := w.next()
		t.equal("cancelled", []any{cancelled.WatchId, cancelled.Canceled, cancelled.CancelReason}, []any{int64(0), true, ""})
		t.put(t.key("a"), "1")
		t.equal("only the other gets the event", w.next().WatchId, int64(1))
		w.cancel(99) // not there: nothing happens
		w.cancel(1)
		t.equal("cancelled", w.next().WatchId, int64(1))
	}},
	{"watch of an empty range is refused", func(t *T) {
		w := openWatch(t, t)
		w.create(&pb.WatchCreateRequest{Key: []byte("b"), RangeEnd: []byte("a")})
		response := w.next()
		t.equal("answer", []any{response.WatchId, response.Canceled, response.Created}, []any{int64(-1), true, true})
		w.create(&pb.WatchCreateRequest{Key: []byte(t.key("a"))})
		t.is("and the stream goes on", w.next().Created)
	}},
	{"watch of all keys", func(t *T) {
		w := openWatch(t, t)
		w.create(&pb.WatchCreateRequest{RangeEnd: []byte{0}}) // an empty key is the smallest one
		t.is("created", w.next().Created)
		t.put(t.key("a"), "1")
		t.equal("event", string(w.next().Events[0].Kv.Key), t.key("a"))
	}},
	{"watch fragments as they come", fragmentsCheck},
	{"watch progress of a whole stream", func(t *T) {
		w := openWatch(t, t)
		for range 3 {
			w.create(&pb.WatchCreateRequest{Key: []byte(t.key("a"))})
			w.next()
		}
		revision := t.put(t.key("b"), "1")
		w.progress()
		response := w.next()
		t.equal("one answer for all", []any{response.WatchId, len(response.Events)}, []any{int64(-1), 0})
		t.is("its revision", response.Header.Revision >= revision)
	}},
	{"progress comes after the events before it", func(t *T) {
		first := t.put(t.key("a"), "0")
		last := first
		for range 1999 {
			last = t.put(t.key("a"), strings.Repeat("v", 100))
		}
		w := openWatch(t, t)
		w.create(&pb.WatchCreateRequest{Key: []byte(t.key("a")), StartRevision: first})
		t.is("created", w.next().Created)
		for seen := first - 1; seen < last; {
			w.progress()
			response := w.next()
			for _, event := range response.Events {
				t.equal("revision", event.Kv.ModRevision, seen+1)
				seen++
			}
			if response.WatchId == -1 {
				t.is(fmt.Sprintf("progress %d does not skip what comes after %d", response.Header.Revision, seen),
					response.Header.Revision <= seen)
			}
		}
	}},
	{"a watcher that does not read holds up nobody", func(t *T) {
		ctx, cancel := context.WithCancel(t)
		defer cancel()
		slow := openWatch(t, ctx)
		slow.create(&pb.WatchCreateRequest{Key: []byte(t.key("a"))})
		t.is("created", slow.next().Created)
		quick := t.another().Watch(t, t.key("a"))
		value := strings.Repeat("v", 100_000)
		first := t.put(t.key("a"), value)
		for range 299 {
			t.put(t.key("a"), value)
		}
		t.is("the other has all", len(take(t, quick, 300)) >= 300)
		for seen := int64(0); seen < 300; { // and in the end so has the slow one
			for _, event := range slow.next().Events {
				t.equal("revision", event.Kv.ModRevision, first+seen)
				seen++
			}
		}
	}},
	{"a watch goes on when the client has sent all", func(t *T) {
		w := openWatch(t, t)
		w.create(&pb.WatchCreateRequest{Key: []byte(t.key("a"))})
		t.is("created", w.next().Created)
		t.must(w.stream.CloseSend())
		t.put(t.key("a"), "1")
		t.equal("event", string(w.next().Events[0].Kv.Value), "1")
	}},
}

// All events of a revision belong together, so only one revision larger than a message may be has to come in parts.
func fragmentsCheck(t *T) {
	value := strings.Repeat("v", 700_000)
	for i := range 7 {
		t.put(t.key(fmt.Sprintf("a%d", i)), value)
	}
	w := openWatch(t, t)
	w.create(&pb.WatchCreateRequest{Key: []byte(t.key("a")), RangeEnd: []byte(t.key("b")), PrevKv: true, Fragment: true})
	t.is("created", w.next().Created)
	response, err := t.Delete(t, t.key("a"), clientv3.WithPrefix())
	t.must(err)
	deleted := response.Header.Revision
	events, fragments := 0, 0
	for events < 7 {
		response := w.next()
		size := 0
		for _, event := range response.Events {
			size += len(event.PrevKv.Value)
			t.equal("revision", event.Kv.ModRevision, deleted)
			events++
		}
		t.is(fmt.Sprintf("a response of %d bytes of values is small enough", size), size <= 1_600_000)
		if response.Fragment {
			fragments++
		}
		t.is("the last one says it is the last", events < 7 || !response.Fragment)
	}
	t.is("it came in several parts", fragments > 0)
}
