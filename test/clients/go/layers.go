package main

import (
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/leasing"
	"go.etcd.io/etcd/client/v3/mirror"
	"go.etcd.io/etcd/client/v3/namespace"
	"go.etcd.io/etcd/client/v3/ordering"
)

// layerChecks are of what clientv3 builds on top of the API.
var layerChecks = []check{
	{"namespace", func(t *T) {
		prefix := t.key() + "/"
		kv := namespace.NewKV(t.KV, prefix)
		watcher := namespace.NewWatcher(t.Watcher, prefix)
		watch := watcher.Watch(t, "", clientv3.WithPrefix(), clientv3.WithCreatedNotify())
		<-watch
		_, err := kv.Put(t, "a", "1")
		t.must(err)
		t.equal("the real key", t.value(prefix+"a"), "1")
		response, err := kv.Get(t, "", clientv3.WithPrefix())
		t.must(err)
		t.equal("the key as it sees it", string(response.Kvs[0].Key), "a")
		t.equal("events", take(t, watch, 1), []string{"PUT a=1"})
		txn, err := kv.Txn(t).If(clientv3.Compare(clientv3.Value("a"), "=", "1")).Then(clientv3.OpDelete("a")).Commit()
		t.must(err)
		t.is("succeeded", txn.Succeeded)
		t.equal("the real key", t.value(prefix+"a"), "(none)")
		lease := namespace.NewLease(t.Lease, prefix)
		granted, err := lease.Grant(t, 100)
		t.must(err)
		_, err = kv.Put(t, "b", "1", clientv3.WithLease(granted.ID))
		t.must(err)
		ttl, err := lease.TimeToLive(t, granted.ID, clientv3.WithAttachedKeys())
		t.must(err)
		t.equal("keys", []string{string(ttl.Keys[0])}, []string{"b"})
	}},
	{"mirror", func(t *T) {
		for i := range 1500 { // more than one page of its sync
			t.put(t.key(fmt.Sprintf("%04d", i)), fmt.Sprint(i))
		}
		syncer := mirror.NewSyncer(t.Client, t.key()+"/", 0)
		pages, errs := syncer.SyncBase(t)
		found := 0
		for page := range pages {
			found += len(page.Kvs)
		}
		t.must(<-errs)
		t.equal("keys", found, 1500)
		updates := syncer.SyncUpdates(t)
		t.put(t.key("new"), "1")
		t.equal("events", take(t, updates, 1), []string{"PUT new=1"})
	}},
	{"leasing", func(t *T) {
		kv, stop, err := leasing.NewKV(t.another(), t.key("leases")+"/")
		t.must(err)
		defer stop()
		_, err = kv.Put(t, t.key("a"), "1")
		t.must(err)
		for range 3 { // from its cache from the second time on
			response, err := kv.Get(t, t.key("a"))
			t.must(err)
			t.equal("value", string(response.Kvs[0].Value), "1")
		}
		other, stopOther, err := leasing.NewKV(t.another(), t.key("leases")+"/")
		t.must(err)
		defer stopOther()
		_, err = other.Put(t, t.key("a"), "2") // takes the lease away
		t.must(err)
		response, err := kv.Get(t, t.key("a"))
		t.must(err)
		t.equal("value", string(response.Kvs[0].Value), "2")
	}},
	{"ordering", func(t *T) {
		violated := func(clientv3.Op, clientv3.OpResponse, int64) error { return rpctypes.ErrGRPCCompacted }
		kv := ordering.NewKV(t.KV, violated)
		for i := range 20 {
			t.put(t.key("a"), fmt.Sprint(i))
			response, err := kv.Get(t, t.key("a"), clientv3.WithSerializable())
			t.must(err)
			t.equal("value", string(response.Kvs[0].Value), fmt.Sprint(i))
		}
	}},
	{"a client that closes and one that comes back", func(t *T) {
		for range 20 {
			client := t.another()
			_, err := client.Put(t, t.key("a"), time.Now().String())
			t.must(err)
			t.must(client.Close())
		}
	}},
}
