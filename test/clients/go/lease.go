package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

func grant(t *T, seconds int64) clientv3.LeaseID {
	response, err := t.Grant(t, seconds)
	t.must(err)
	t.is("the time to live is at least what was asked for", response.TTL >= seconds)
	return response.ID
}

var leaseChecks = []check{
	{"lease grant, time to live, list", func(t *T) {
		id := grant(t, 300)
		t.put(t.key("b"), "1", clientv3.WithLease(id))
		t.put(t.key("a"), "1", clientv3.WithLease(id))
		response, err := t.TimeToLive(t, id, clientv3.WithAttachedKeys())
		t.must(err)
		t.is(fmt.Sprint("remaining ", response.TTL), response.TTL > 290 && response.TTL <= 300)
		t.equal("granted", response.GrantedTTL, int64(300))
		var keys []string
		for _, key := range response.Keys {
			keys = append(keys, string(key))
		}
		slices.Sort(keys)
		t.equal("keys", keys, []string{t.key("a"), t.key("b")})
		leases, err := t.Leases(t)
		t.must(err)
		t.is("listed", slices.ContainsFunc(leases.Leases, func(l clientv3.LeaseStatus) bool { return l.ID == id }))
	}},
	{"lease with a chosen id", func(t *T) {
		client := pb.NewLeaseClient(t.connection())
		response, err := client.LeaseGrant(t, &pb.LeaseGrantRequest{ID: 4_000_000_000_000_000_007, TTL: 100})
		t.must(err)
		t.equal("id", response.ID, int64(4_000_000_000_000_000_007))
		_, err = client.LeaseGrant(t, &pb.LeaseGrantRequest{ID: 4_000_000_000_000_000_007, TTL: 100})
		t.fails(err, rpctypes.ErrGRPCLeaseExist)
		_, err = client.LeaseGrant(t, &pb.LeaseGrantRequest{TTL: 9_000_000_001})
		t.fails(err, rpctypes.ErrGRPCLeaseTTLTooLarge)
		_, err = client.LeaseRevoke(t, &pb.LeaseRevokeRequest{ID: 4_000_000_000_000_000_007})
		t.must(err)
	}},
	{"lease revoke deletes its keys in one revision", func(t *T) {
		id := grant(t, 300)
		t.put(t.key("a"), "1", clientv3.WithLease(id))
		last := t.put(t.key("b"), "1", clientv3.WithLease(id))
		response, err := t.Revoke(t, id)
		t.must(err)
		t.equal("revision", response.Header.Revision, last+1)
		t.equal("events", take(t, t.Watch(t, t.key(), clientv3.WithPrefix(), clientv3.WithRev(last+1)), 2),
			[]string{"DELETE a", "DELETE b"})
		_, err = t.Revoke(t, id)
		t.fails(err, rpctypes.ErrLeaseNotFound)
		empty := grant(t, 300)
		response, err = t.Revoke(t, empty)
		t.must(err)
		t.equal("revision after a lease without keys", response.Header.Revision, last+1)
	}},
	{"lease expiry", func(t *T) {
		started := time.Now()
		id := grant(t, 2)
		t.put(t.key("a"), "1", clientv3.WithLease(id))
		last := t.put(t.key("b"), "1", clientv3.WithLease(id))
		watch := t.Watch(t, t.key(), clientv3.WithPrefix(), clientv3.WithRev(last+1), clientv3.WithPrevKV())
		response := <-watch
		t.must(response.Err())
		took := time.Since(started)
		t.equal("both in one revision", len(response.Events), 2)
		t.equal("revision", response.Header.Revision, last+1)
		t.equal("previous value's lease", response.Events[0].PrevKv.Lease, int64(id))
		t.is(fmt.Sprint("not early: ", took), took >= 2*time.Second)
		t.is(fmt.Sprint("not late: ", took), took < 5*time.Second)
		_, err := t.KeepAliveOnce(t, id)
		t.fails(err, rpctypes.ErrLeaseNotFound)
		gone, err := t.TimeToLive(t, id)
		t.must(err)
		t.equal("time to live", gone.TTL, int64(-1))
	}},
	{"lease keep-alive", func(t *T) {
		id := grant(t, 2)
		t.put(t.key("a"), "1", clientv3.WithLease(id))
		ctx, cancel := context.WithCancel(t)
		answers, err := t.KeepAlive(ctx, id)
		t.must(err)
		for range 6 {
			answer, open := <-answers
			t.is("the channel is open", open)
			t.equal("time to live", answer.TTL, int64(2))
		}
		t.equal("value", t.value(t.key("a")), "1")
		cancel()
		t.eventually("the key is gone", func() bool { return t.value(t.key("a")) == "(none)" })
	}},
	{"lease keep-alive of a revoked lease ends", func(t *T) {
		id := grant(t, 5)
		answers, err := t.KeepAlive(t, id)
		t.must(err)
		<-answers
		_, err = t.Revoke(t, id)
		t.must(err)
		t.eventually("the channel is closed", func() bool {
			select {
			case _, open := <-answers:
				return !open
			default:
				return false
			}
		})
	}},
	{"a lease of another client's key", func(t *T) {
		one, two := grant(t, 300), grant(t, 300)
		t.put(t.key("a"), "1", clientv3.WithLease(one))
		t.put(t.key("a"), "2", clientv3.WithLease(two))
		_, err := t.Revoke(t, one)
		t.must(err)
		t.equal("value", t.value(t.key("a")), "2")
		t.put(t.key("a"), "3", clientv3.WithIgnoreLease())
		response, err := t.Get(t, t.key("a"))
		t.must(err)
		t.equal("lease", response.Kvs[0].Lease, int64(two))
		t.put(t.key("a"), "4")
		_, err = t.Revoke(t, two)
		t.must(err)
		t.equal("value", t.value(t.key("a")), "4")
		_, err = t.Put(t, t.key("a"), "5", clientv3.WithLease(12345))
		t.fails(err, rpctypes.ErrLeaseNotFound)
	}},
	{"many leases kept alive on one stream", func(t *T) {
		stream, err := pb.NewLeaseClient(t.connection()).LeaseKeepAlive(t)
		t.must(err)
		ids := map[int64]bool{}
		for range 200 {
			ids[int64(grant(t, 60))] = true
		}
		for id := range ids {
			t.must(stream.Send(&pb.LeaseKeepAliveRequest{ID: id}))
		}
		for range 200 {
			answer, err := stream.Recv()
			t.must(err)
			t.equal("time to live", answer.TTL, int64(60))
			t.is("an id once", ids[answer.ID])
			delete(ids, answer.ID)
		}
		t.must(stream.Send(&pb.LeaseKeepAliveRequest{ID: 12345}))
		answer, err := stream.Recv()
		t.must(err)
		t.equal("an unknown lease", []int64{answer.ID, answer.TTL}, []int64{12345, 0})
	}},
}
