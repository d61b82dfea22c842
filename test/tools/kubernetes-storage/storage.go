// Package storage names the packages whose tests are built, so that go.sum covers what they need.
package storage

import (
	_ "k8s.io/apiserver/pkg/storage/cacher"
	_ "k8s.io/apiserver/pkg/storage/etcd3/testserver"
	_ "k8s.io/apiserver/pkg/storage/storagebackend/factory"
)
