package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/client/v3/concurrency"
)

func session(t *T, ttl int) *concurrency.Session {
	s, err := concurrency.NewSession(t.another(), concurrency.WithTTL(ttl), concurrency.WithContext(t))
	t.must(err)
	return s
}

var concurrencyChecks = []check{
	{"mutex lets in one at a time", func(t *T) {
		var inside, most, entered atomic.Int32
		errs := make(chan error)
		for range 5 {
			s := session(t, 10)
			go func() {
				mutex := concurrency.NewMutex(s, t.key())
				for range 5 {
					if err := mutex.Lock(t); err != nil {
						errs <- err
						return
					}
					most.Store(max(most.Load(), inside.Add(1)))
					entered.Add(1)
					inside.Add(-1)
					if err := mutex.Unlock(t); err != nil {
						errs <- err
						return
					}
				}
				errs <- s.Close()
			}()
		}
		for range 5 {
			t.must(<-errs)
		}
		t.equal("most at once, entered", []int32{most.Load(), entered.Load()}, []int32{1, 25})
	}},
	{"mutex tried and freed by an ended session", func(t *T) {
		one, two := session(t, 10), session(t, 10)
		first, second := concurrency.NewMutex(one, t.key()), concurrency.NewMutex(two, t.key())
		t.must(first.TryLock(t))
		t.fails(second.TryLock(t), concurrency.ErrLocked)
		locked := make(chan error, 1)
		go func() { locked <- second.Lock(t) }()
		select {
		case <-locked:
			t.fatalf("locked twice")
		case <-time.After(200 * time.Millisecond):
		}
		t.must(one.Close()) // revokes the lease
		t.must(<-locked)
		t.must(second.Unlock(t))
	}},
	{"mutex of a session that is lost", func(t *T) {
		lost := session(t, 2)
		t.must(concurrency.NewMutex(lost, t.key()).Lock(t))
		lost.Orphan() // no more keep-alives
		started := time.Now()
		t.must(concurrency.NewMutex(session(t, 10), t.key()).Lock(t))
		t.is(fmt.Sprint("after the time to live: ", time.Since(started)), time.Since(started) > time.Second)
	}},
	{"election", electionCheck},
	{"software transactional memory", func(t *T) {
		const accounts = 5
		for i := range accounts {
			t.put(t.key(fmt.Sprint(i)), "100")
		}
		var workers sync.WaitGroup
		errs := make(chan error, 10)
		for w := range 10 {
			client := t.another()
			workers.Go(func() {
				for n := range 10 {
					from, to := t.key(fmt.Sprint((w+n)%accounts)), t.key(fmt.Sprint((w+2*n+1)%accounts))
					_, err := concurrency.NewSTM(client, func(s concurrency.STM) error {
						if from == to {
							return nil
						}
						var a, b int
						fmt.Sscan(s.Get(from), &a)
						fmt.Sscan(s.Get(to), &b)
						s.Put(from, fmt.Sprint(a-1))
						s.Put(to, fmt.Sprint(b+1))
						return nil
					}, concurrency.WithAbortContext(t), concurrency.WithIsolation(concurrency.SerializableSnapshot))
					if err != nil {
						errs <- err
						return
					}
				}
			})
		}
		workers.Wait()
		close(errs)
		for err := range errs {
			t.must(err)
		}
		sum := 0
		for i := range accounts {
			var a int
			fmt.Sscan(t.value(t.key(fmt.Sprint(i))), &a)
			sum += a
		}
		t.equal("sum", sum, 100*accounts)
	}},
}

func electionCheck(t *T) {
	one := concurrency.NewElection(session(t, 10), t.key())
	two := concurrency.NewElection(session(t, 10), t.key())
	_, err := one.Leader(t)
	t.fails(err, concurrency.ErrElectionNoLeader)
	t.must(one.Campaign(t, "one"))
	ctx, cancel := context.WithCancel(t)
	defer cancel()
	observed := concurrency.NewElection(session(t, 10), t.key()).Observe(ctx)
	leader := func() string { return string((<-observed).Kvs[0].Value) }
	t.equal("leader", leader(), "one")
	t.must(one.Proclaim(t, "one again"))
	t.equal("leader", leader(), "one again")
	won := make(chan error, 1)
	go func() { won <- two.Campaign(t, "two") }()
	select {
	case <-won:
		t.fatalf("two leaders")
	case <-time.After(200 * time.Millisecond):
	}
	t.must(one.Resign(t))
	t.must(<-won)
	t.equal("leader", leader(), "two")
	response, err := two.Leader(t)
	t.must(err)
	t.equal("leader by asking", string(response.Kvs[0].Value), "two")
	t.fails(one.Proclaim(t, "too late"), concurrency.ErrElectionNotLeader)
	t.must(two.Resign(t))
}
