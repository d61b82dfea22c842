package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// take collects that many events, each as "PUT key=value@revision".
func take(t *T, watch clientv3.WatchChan, count int) []string {
	var events []string
	for len(events) < count {
		select {
		case response, open := <-watch:
			t.is(fmt.Sprintf("the watch is open after %d of %d events", len(events), count), open)
			t.must(response.Err())
			for _, event := range response.Events {
				events = append(events, describe(t, event))
			}
		case <-time.After(10 * time.Second):
			t.fatalf("after 10 s %d events and not %d: %v", len(events), count, events)
		}
	}
	return events
}

func describe(t *T, event *clientv3.Event) string {
	key := strings.TrimPrefix(string(event.Kv.Key), t.key()+"/")
	if event.Type == clientv3.EventTypeDelete {
		return "DELETE " + key
	}
	return fmt.Sprintf("PUT %s=%s", key, event.Kv.Value)
}

// silent wants no event for a while.
func silent(t *T, watch clientv3.WatchChan, a time.Duration) {
	select {
	case response := <-watch:
		t.is(fmt.Sprint("no events, but ", response.Events), len(response.Events) == 0)
	case <-time.After(a):
	}
}

// created waits until the watch stands.
func created(t *T, key string, options ...clientv3.OpOption) clientv3.WatchChan {
	watch := t.Watch(t, key, append(options, clientv3.WithCreatedNotify())...)
	response := <-watch
	t.must(response.Err())
	t.is("created", response.Created)
	return watch
}

var watchChecks = []check{
	{"watch of a key, a prefix and a range", func(t *T) {
		one := created(t, t.key("b"))
		prefix := created(t, t.key("b"), clientv3.WithPrefix())
		from := created(t, t.key("b"), clientv3.WithRange(t.key("c")))
		for _, key := range []string{"a", "b", "ba", "c"} {
			t.put(t.key(key), key)
		}
		_, err := t.Delete(t, t.key("b"))
		t.must(err)
		t.equal("key", take(t, one, 2), []string{"PUT b=b", "DELETE b"})
		t.equal("prefix", take(t, prefix, 3), []string{"PUT b=b", "PUT ba=ba", "DELETE b"})
		t.equal("range", take(t, from, 3), []string{"PUT b=b", "PUT ba=ba", "DELETE b"})
	}},
	{"watch event fields", func(t *T) {
		watch := created(t, t.key("a"), clientv3.WithPrevKV())
		first := t.put(t.key("a"), "1")
		t.put(t.key("a"), "2")
		_, err := t.Delete(t, t.key("a"))
		t.must(err)
		var events []*clientv3.Event
		for len(events) < 3 {
			events = append(events, (<-watch).Events...)
		}
		t.is("create, modify", events[0].IsCreate() && events[1].IsModify())
		t.is("no previous of the first", events[0].PrevKv == nil)
		t.equal("previous of the second", string(events[1].PrevKv.Value), "1")
		t.equal("previous of the delete", string(events[2].PrevKv.Value), "2")
		t.equal("a deleted key", []int64{events[2].Kv.ModRevision, events[2].Kv.Version, events[2].Kv.CreateRevision},
			[]int64{first + 2, 0, 0})
		t.equal("and it has no value", len(events[2].Kv.Value), 0)
	}},
	{"watch from the past to the present", func(t *T) {
		first := t.put(t.key("a"), "0")
		for i := 1; i <= 500; i++ {
			t.put(t.key("a"), fmt.Sprint(i))
		}
		watch := t.Watch(t, t.key("a"), clientv3.WithRev(first))
		go func() {
			for i := 501; i <= 1000; i++ {
				t.Put(t, t.key("a"), fmt.Sprint(i))
			}
		}()
		for i, event := range take(t, watch, 1001) {
			t.equal("event", event, fmt.Sprintf("PUT a=%d", i))
		}
	}},
	{"watch from the future", func(t *T) {
		now := t.put(t.key("a"), "now")
		watch := created(t, t.key("a"), clientv3.WithRev(now+3))
		for i := 1; i <= 3; i++ {
			t.put(t.key("a"), fmt.Sprint(i))
		}
		t.equal("events", take(t, watch, 1), []string{"PUT a=3"})
	}},
	{"watch filters", func(t *T) {
		deletes := created(t, t.key(), clientv3.WithPrefix(), clientv3.WithFilterPut())
		puts := created(t, t.key(), clientv3.WithPrefix(), clientv3.WithFilterDelete())
		past := t.put(t.key("a"), "1")
		_, err := t.Delete(t, t.key("a"))
		t.must(err)
		t.put(t.key("b"), "2")
		t.equal("deletes", take(t, deletes, 1), []string{"DELETE a"})
		t.equal("puts", take(t, puts, 2), []string{"PUT a=1", "PUT b=2"})
		old := t.Watch(t, t.key(), clientv3.WithPrefix(), clientv3.WithFilterPut(), clientv3.WithRev(past))
		t.equal("deletes of the past", take(t, old, 1), []string{"DELETE a"})
	}},
	{"watch of a compacted revision", func(t *T) {
		first := t.put(t.key("a"), "1")
		last := t.put(t.key("a"), "2")
		_, err := t.Compact(t, last)
		t.must(err)
		response := <-t.Watch(t, t.key("a"), clientv3.WithRev(first))
		t.fails(response.Err(), rpctypes.ErrCompacted)
		t.is("cancelled", response.Canceled)
		t.equal("compact revision", response.CompactRevision, last)
		t.equal("the compacted revision itself", take(t, t.Watch(t, t.key("a"), clientv3.WithRev(last)), 1), []string{"PUT a=2"})
	}},
	{"watch progress on request", func(t *T) {
		watch := created(t, t.key("a"))
		revision := t.put(t.key("other"), "1")
		t.must(t.RequestProgress(t))
		response := <-watch
		t.is("progress", response.IsProgressNotify())
		t.is("it has come that far", response.Header.Revision >= revision)
	}},
	{"watch progress by itself", func(t *T) {
		watch := created(t, t.key("a"), clientv3.WithProgressNotify())
		revision := t.put(t.key("other"), "1")
		for range 3 {
			response := <-watch
			t.must(response.Err())
			t.is("progress", response.IsProgressNotify())
			if response.Header.Revision >= revision {
				return
			}
		}
		t.fatalf("no progress to revision %d", revision)
	}},
	{"watch in fragments", func(t *T) {
		// One transaction can not be larger than a request; many events of the past come in one response.
		first := t.put(t.key("a"), "start")
		value := strings.Repeat("v", 500_000)
		for range 10 {
			t.put(t.key("a"), value)
		}
		whole := t.Watch(t, t.key("a"), clientv3.WithRev(first))
		parts := t.Watch(t, t.key("a"), clientv3.WithRev(first), clientv3.WithFragment())
		a, b := take(t, whole, 11), take(t, parts, 11)
		t.equal("the same events", a, b)
	}},
	{"watch cancel by context, and others go on", func(t *T) {
		ctx, cancel := context.WithCancel(t)
		stops := t.Watch(ctx, t.key("a"), clientv3.WithCreatedNotify())
		<-stops
		stays := created(t, t.key("a"))
		cancel()
		t.eventually("the watch is closed", func() bool {
			select {
			case _, open := <-stops:
				return !open
			default:
				return false
			}
		})
		t.put(t.key("a"), "1")
		t.equal("events", take(t, stays, 1), []string{"PUT a=1"})
	}},
	{"many watches on one stream", func(t *T) {
		watches := make([]clientv3.WatchChan, 300)
		for i := range watches {
			watches[i] = t.Watch(t, t.key(fmt.Sprint(i%10)), clientv3.WithCreatedNotify())
		}
		for _, watch := range watches {
			<-watch
		}
		for i := range 10 {
			t.put(t.key(fmt.Sprint(i)), "v")
		}
		for i, watch := range watches {
			t.equal("event", take(t, watch, 1), []string{fmt.Sprintf("PUT %d=v", i%10)})
		}
	}},
	{"watches at different revisions catch up", func(t *T) {
		first := t.put(t.key("a"), "0")
		for i := 1; i < 100; i++ {
			t.put(t.key("a"), fmt.Sprint(i))
		}
		for start := 0; start < 100; start += 9 {
			watch := t.Watch(t, t.key("a"), clientv3.WithRev(first+int64(start)))
			for i, event := range take(t, watch, 100-start) {
				t.equal("event", event, fmt.Sprintf("PUT a=%d", start+i))
			}
		}
	}},
	{"watch events of a revision come together", func(t *T) {
		watch := created(t, t.key(), clientv3.WithPrefix())
		var puts []clientv3.Op
		for i := range 100 {
			puts = append(puts, clientv3.OpPut(t.key(fmt.Sprintf("%03d", i)), "v"))
		}
		response, err := t.Txn(t).Then(puts...).Commit()
		t.must(err)
		got := <-watch
		t.equal("events in one response", len(got.Events), 100)
		t.equal("revision", got.Header.Revision, response.Header.Revision)
		for _, event := range got.Events {
			t.equal("mod revision", event.Kv.ModRevision, response.Header.Revision)
		}
	}},
}
