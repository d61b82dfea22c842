// Command go checks a server with etcd's own Go client, clientv3: go ENDPOINT [REGEX].
// It prints PASS or FAIL for each check and DONE at its end.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
)

// check is one named check. Keys of a check start with its name, so that checks do not meet.
type check struct {
	name string
	body func(t *T)
}

// T is what a check is given: a client of its own and a context that ends with the time it may take.
type T struct {
	context.Context
	*clientv3.Client
	endpoint string
	name     string
}

type failure struct{ text string }

func (t *T) fatalf(format string, args ...any) { panic(failure{fmt.Sprintf(format, args...)}) }

func (t *T) must(err error) {
	if err != nil {
		t.fatalf("%v", err)
	}
}

// fails wants the error want.
func (t *T) fails(err, want error) {
	if err == nil {
		t.fatalf("no error, want %v", want)
	}
	if !errors.Is(err, want) && err.Error() != want.Error() {
		t.fatalf("error %v, want %v", err, want)
	}
}

func (t *T) equal(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		t.fatalf("%s is %v, want %v", what, got, want)
	}
}

func (t *T) is(what string, holds bool) {
	if !holds {
		t.fatalf("not so: %s", what)
	}
}

// key is a key of this check alone.
func (t *T) key(parts ...string) string {
	return strings.Join(append([]string{strings.ReplaceAll(t.name, " ", "-")}, parts...), "/")
}

// put puts and gives the revision.
func (t *T) put(key, value string, options ...clientv3.OpOption) int64 {
	response, err := t.Put(t, key, value, options...)
	t.must(err)
	return response.Header.Revision
}

// value is the value of a key, "(none)" without one.
func (t *T) value(key string) string {
	response, err := t.Get(t, key)
	t.must(err)
	if len(response.Kvs) == 0 {
		return "(none)"
	}
	return string(response.Kvs[0].Value)
}

func (t *T) eventually(what string, holds func() bool) {
	for deadline := time.Now().Add(10 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			t.fatalf("timed out waiting until %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// another opens a second client.
func (t *T) another() *clientv3.Client {
	client, err := newClient(t.endpoint)
	t.must(err)
	context.AfterFunc(t, func() { client.Close() })
	return client
}

func (t *T) connection() *grpc.ClientConn { return t.ActiveConnection() }

func newClient(endpoint string) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{
		Endpoints:   []string{endpoint},
		DialTimeout: 5 * time.Second,
		Logger:      zap.NewNop(),
	})
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: go ENDPOINT [REGEX]")
		os.Exit(2)
	}
	pattern := regexp.MustCompile("")
	if len(os.Args) > 2 {
		pattern = regexp.MustCompile(os.Args[2])
	}
	groups := [][]check{kvChecks, txnChecks, watchChecks, rawWatchChecks, leaseChecks, limitChecks,
		concurrencyChecks, layerChecks, maintenanceChecks}
	for _, group := range groups {
		for _, c := range group {
			if !pattern.MatchString("go " + c.name) {
				continue
			}
			if reason := run(c, os.Args[1]); reason != "" {
				fmt.Printf("FAIL %s: %s\n", c.name, strings.ReplaceAll(reason, "\n", "\\n"))
			} else {
				fmt.Printf("PASS %s\n", c.name)
			}
		}
	}
	fmt.Println("DONE") // a failed check is told by its line, and not by the status
}

func run(c check, endpoint string) (reason string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client, err := newClient(endpoint)
	if err != nil {
		return err.Error()
	}
	defer client.Close()
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			reason = r.text + "\n" + callers()
		default:
			reason = fmt.Sprintf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	c.body(&T{ctx, client, endpoint, c.name})
	return ""
}

// callers are the lines of the checks that are on the stack.
func callers() string {
	var lines []string
	for line := range strings.Lines(string(debug.Stack())) {
		if strings.HasPrefix(line, "\t") && strings.Contains(line, ".go:") && !strings.Contains(line, "main.go:") &&
			!strings.Contains(line, "/debug/") && !strings.Contains(line, "panic.go") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "\n")
}
