package main

import (
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

var txnChecks = []check{
	{"txn then and else", func(t *T) {
		t.put(t.key("a"), "1")
		response, err := t.Txn(t).If(clientv3.Compare(clientv3.Value(t.key("a")), "=", "1")).
			Then(clientv3.OpPut(t.key("a"), "2", clientv3.WithPrevKV()), clientv3.OpGet(t.key("a"))).
			Else(clientv3.OpPut(t.key("a"), "else")).Commit()
		t.must(err)
		t.is("succeeded", response.Succeeded)
		t.equal("previous", string(response.Responses[0].GetResponsePut().PrevKv.Value), "1")
		t.equal("its own write", string(response.Responses[1].GetResponseRange().Kvs[0].Value), "2")
		response, err = t.Txn(t).If(clientv3.Compare(clientv3.Value(t.key("a")), "=", "1")).
			Else(clientv3.OpDelete(t.key("a"))).Commit()
		t.must(err)
		t.is("failed", !response.Succeeded)
		t.equal("deleted", response.Responses[0].GetResponseDeleteRange().Deleted, int64(1))
	}},
	{"txn compares", comparesCheck},
	{"txn compares a range", func(t *T) {
		holds := func(c clientv3.Cmp) bool {
			response, err := t.Txn(t).If(c).Commit()
			t.must(err)
			return response.Succeeded
		}
		none := clientv3.Compare(clientv3.CreateRevision(t.key()), ">", 0).WithPrefix()
		t.is("of no keys: a comparison of revisions does not hold", !holds(none))
		t.put(t.key("a"), "x")
		t.put(t.key("b"), "x")
		t.is("all equal", holds(clientv3.Compare(clientv3.Value(t.key()), "=", "x").WithPrefix()))
		t.put(t.key("b"), "y")
		t.is("one is not", !holds(clientv3.Compare(clientv3.Value(t.key()), "=", "x").WithPrefix()))
		t.is("a smaller range", holds(clientv3.Compare(clientv3.Value(t.key("a")), "=", "x").WithRange(t.key("b"))))
	}},
	{"txn nested", nestedCheck},
	{"txn is one revision with its own order inside", func(t *T) {
		before := t.put(t.key("a"), "old")
		response, err := t.Txn(t).Then(
			clientv3.OpGet(t.key(), clientv3.WithPrefix(), clientv3.WithCountOnly()),
			clientv3.OpPut(t.key("b"), "1"),
			clientv3.OpDelete(t.key("a")),
			clientv3.OpGet(t.key(), clientv3.WithPrefix(), clientv3.WithCountOnly()),
			clientv3.OpPut(t.key("c"), "1"),
			clientv3.OpGet(t.key(), clientv3.WithPrefix()),
		).Commit()
		t.must(err)
		t.equal("revision", response.Header.Revision, before+1)
		counts := func(i int) int64 { return response.Responses[i].GetResponseRange().Count }
		t.equal("counts", []int64{counts(0), counts(3), counts(5)}, []int64{1, 1, 2})
		for _, kv := range response.Responses[5].GetResponseRange().Kvs {
			t.equal("mod revision", kv.ModRevision, before+1)
		}
		watch := <-t.Watch(t, t.key(), clientv3.WithPrefix(), clientv3.WithRev(before+1))
		t.must(watch.Err())
		var events []string
		for _, event := range watch.Events {
			events = append(events, fmt.Sprint(event.Type, " ", string(event.Kv.Key[len(t.key())+1:])))
		}
		t.equal("events", events, []string{"PUT b", "DELETE a", "PUT c"})
	}},
	{"txn that only reads makes no revision", func(t *T) {
		before := t.put(t.key("a"), "1")
		response, err := t.Txn(t).Then(clientv3.OpGet(t.key("a")), clientv3.OpDelete(t.key("none"))).Commit()
		t.must(err)
		t.equal("revision", response.Header.Revision, before)
		t.equal("next", t.put(t.key("a"), "2"), before+1)
	}},
	{"txn refused", func(t *T) {
		put := func(key string) clientv3.Op { return clientv3.OpPut(t.key(key), "v") }
		_, err := t.Txn(t).Then(put("a"), put("a")).Commit()
		t.fails(err, rpctypes.ErrDuplicateKey)
		_, err = t.Txn(t).Then(clientv3.OpDelete(t.key(), clientv3.WithPrefix()), put("a")).Commit()
		t.fails(err, rpctypes.ErrDuplicateKey)
		inner := clientv3.OpTxn(nil, []clientv3.Op{put("a")}, nil)
		_, err = t.Txn(t).Then(put("a"), inner).Commit()
		t.fails(err, rpctypes.ErrDuplicateKey)
		_, err = t.Txn(t).Then(put("a")).Else(put("a")).Commit()
		t.must(err) // only one of the two is done
		many := make([]clientv3.Op, 129)
		for i := range many {
			many[i] = put(fmt.Sprint("many/", i))
		}
		_, err = t.Txn(t).Then(many...).Commit()
		t.fails(err, rpctypes.ErrTooManyOps)
		_, err = t.Txn(t).Then(many[:128]...).Commit()
		t.must(err)
		_, err = t.Txn(t).Then(put("x"), clientv3.OpGet(t.key("a"), clientv3.WithRev(1<<40))).Commit()
		t.fails(err, rpctypes.ErrFutureRev)
		_, err = t.Txn(t).Then(put("x"), clientv3.OpPut("", "v")).Commit()
		t.fails(err, rpctypes.ErrEmptyKey)
		t.equal("nothing was done", t.value(t.key("x")), "(none)")
	}},
	{"txn as compare and swap by many", func(t *T) {
		t.put(t.key("n"), "0")
		errs := make(chan error)
		for range 10 {
			client := t.another()
			go func() { errs <- increments(t, client, 20) }()
		}
		for range 10 {
			t.must(<-errs)
		}
		t.equal("sum", t.value(t.key("n")), "200")
	}},
}

func increments(t *T, client *clientv3.Client, times int) error {
	for done := 0; done < times; {
		got, err := client.Get(t, t.key("n"))
		if err != nil {
			return err
		}
		var n int
		fmt.Sscan(string(got.Kvs[0].Value), &n)
		response, err := client.Txn(t).
			If(clientv3.Compare(clientv3.ModRevision(t.key("n")), "=", got.Kvs[0].ModRevision)).
			Then(clientv3.OpPut(t.key("n"), fmt.Sprint(n+1))).Commit()
		if err != nil {
			return err
		}
		if response.Succeeded {
			done++
		}
	}
	return nil
}

func comparesCheck(t *T) {
	lease, err := t.Grant(t, 100)
	t.must(err)
	t.put(t.key("a"), "l")
	revision := t.put(t.key("a"), "m", clientv3.WithLease(lease.ID))
	a := t.key("a")
	for _, c := range []struct {
		name            string
		target          clientv3.Cmp
		low, same, high any
	}{
		{"value", clientv3.Value(a), "l", "m", "n"},
		{"version", clientv3.Version(a), 1, 2, 3},
		{"mod revision", clientv3.ModRevision(a), revision - 1, revision, revision + 1},
		{"create revision", clientv3.CreateRevision(a), revision - 2, revision - 1, revision},
		{"lease", clientv3.LeaseValue(a), lease.ID - 1, lease.ID, lease.ID + 1},
	} {
		for operator, holds := range map[string][3]bool{
			"=":  {false, true, false},
			"!=": {true, false, true},
			">":  {true, false, false},
			"<":  {false, false, true},
		} {
			for i, value := range []any{c.low, c.same, c.high} {
				response, err := t.Txn(t).If(clientv3.Compare(c.target, operator, value)).Commit()
				t.must(err)
				t.equal(fmt.Sprint(c.name, operator, value), response.Succeeded, holds[i])
			}
		}
	}
	for name, c := range map[string]clientv3.Cmp{
		"create": clientv3.Compare(clientv3.CreateRevision(t.key("none")), "=", 0),
		"mod":    clientv3.Compare(clientv3.ModRevision(t.key("none")), "=", 0),
		"lease":  clientv3.Compare(clientv3.LeaseValue(t.key("none")), "=", 0),
	} {
		response, err := t.Txn(t).If(c).Commit()
		t.must(err)
		t.equal("no key: "+name, response.Succeeded, true)
	}
	response, err := t.Txn(t).If(clientv3.Compare(clientv3.Value(t.key("none")), "!=", "v")).Commit()
	t.must(err)
	t.equal("a key that is not there has no value to compare", response.Succeeded, false)
}

func nestedCheck(t *T) {
	t.put(t.key("a"), "1")
	is := func(key, value string) clientv3.Cmp { return clientv3.Compare(clientv3.Value(t.key(key)), "=", value) }
	inner := clientv3.OpTxn(
		[]clientv3.Cmp{is("b", "2")},
		[]clientv3.Op{clientv3.OpPut(t.key("c"), "then"), clientv3.OpGet(t.key("c"))},
		[]clientv3.Op{clientv3.OpPut(t.key("c"), "else")},
	)
	response, err := t.Txn(t).If(is("a", "1")).Then(inner, clientv3.OpGet(t.key("c"))).Commit()
	t.must(err)
	t.is("outer succeeded, inner did not", response.Succeeded && !response.Responses[0].GetResponseTxn().Succeeded)
	t.equal("what the outer reads", string(response.Responses[1].GetResponseRange().Kvs[0].Value), "else")
	t.put(t.key("b"), "2")
	response, err = t.Txn(t).Then(clientv3.OpTxn(nil, []clientv3.Op{inner}, nil)).Commit()
	t.must(err)
	deep := response.Responses[0].GetResponseTxn().Responses[0].GetResponseTxn()
	t.is("two levels down", deep.Succeeded)
	t.equal("what it reads", string(deep.Responses[1].GetResponseRange().Kvs[0].Value), "then")
}
