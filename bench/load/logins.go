package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

type loginsResult struct {
	Alone  percentiles `json:"alone"`
	During percentiles `json:"during"`
	// Wrong passwords that were looked at, and those that were turned away because too many waited.
	Wrong      int64 `json:"wrong"`
	TurnedAway int64 `json:"turnedAway"`
	// Another user's logins with the right password, one after the other.
	Right percentiles `json:"right"`
}

// logins measures puts at a steady pace, first alone and then while many callers try one wrong password after the other.
func logins(args []string) (*loginsResult, error) {
	var data dataSet
	set := flag.NewFlagSet("logins", flag.ExitOnError)
	data.flags(set)
	endpoint := set.String("endpoint", "127.0.0.1:2379", "host:port")
	every := set.Duration("every", 5*time.Millisecond, "between the starts of two puts")
	alone := set.Duration("alone", 3*time.Second, "how long puts run alone first")
	during := set.Duration("during", 10*time.Second, "how long wrong passwords are tried")
	callers := set.Int("logins", 1000, "how many try at the same time")
	connections := set.Int("connections", 10, "over so many connections")
	token := set.String("token", "", "of who puts")
	victim := set.String("victim", "root", "whose password is guessed")
	user := set.String("user", "", "who logs in with the right password")
	password := set.String("password", "", "the right password")
	set.Parse(args)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	puts, err := startPuts(metadata.AppendToOutgoingContext(ctx, "token", *token), *endpoint, &data, *every)
	if err != nil {
		return nil, err
	}
	time.Sleep(time.Second) // connects
	puts.reset()
	time.Sleep(*alone)
	result := &loginsResult{}
	if result.Alone, err = puts.take(); err != nil {
		return nil, err
	}
	flood, stop := context.WithTimeout(ctx, *during)
	defer stop()
	var wait sync.WaitGroup
	var accepted atomic.Int64
	for n := range *connections {
		connection, err := dial(*endpoint)
		if err != nil {
			return nil, err
		}
		defer connection.Close()
		for caller := n; caller < *callers; caller += *connections {
			wait.Go(func() { guess(flood, connection, *victim, caller, result, &accepted) })
		}
	}
	result.Right = rightLogins(flood, *endpoint, *user, *password)
	wait.Wait()
	if result.During, err = puts.take(); err != nil {
		return nil, err
	}
	if accepted.Load() > 0 {
		return nil, errors.New("a wrong password was taken for the right one")
	}
	return result, nil
}

func guess(ctx context.Context, connection *grpc.ClientConn, victim string, caller int, result *loginsResult, accepted *atomic.Int64) {
	client := pb.NewAuthClient(connection)
	for attempt := 0; ctx.Err() == nil; attempt++ {
		request := &pb.AuthenticateRequest{Name: victim, Password: fmt.Sprintf("guess %d %d", caller, attempt)}
		_, err := client.Authenticate(ctx, request)
		switch {
		case err == nil:
			accepted.Add(1)
		case ctx.Err() != nil:
		case status.Convert(err).Message() == "etcdserver: too many requests":
			atomic.AddInt64(&result.TurnedAway, 1)
			time.Sleep(50 * time.Millisecond)
		default:
			atomic.AddInt64(&result.Wrong, 1)
		}
	}
}

func rightLogins(ctx context.Context, endpoint, user, password string) percentiles {
	connection, err := dial(endpoint)
	if err != nil {
		return percentiles{}
	}
	defer connection.Close()
	client := pb.NewAuthClient(connection)
	var times []time.Duration
	for ctx.Err() == nil {
		started := time.Now()
		if _, err := client.Authenticate(ctx, &pb.AuthenticateRequest{Name: user, Password: password}); err == nil {
			times = append(times, time.Since(started))
		}
		time.Sleep(100 * time.Millisecond)
	}
	return percentilesOf(times)
}
