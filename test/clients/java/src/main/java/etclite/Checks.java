package etclite;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.KV;
import io.etcd.jetcd.KeyValue;
import io.etcd.jetcd.Lease;
import io.etcd.jetcd.Watch;
import io.etcd.jetcd.common.exception.CompactedException;
import io.etcd.jetcd.election.CampaignResponse;
import io.etcd.jetcd.kv.GetResponse;
import io.etcd.jetcd.kv.PutResponse;
import io.etcd.jetcd.kv.TxnResponse;
import io.etcd.jetcd.lease.LeaseKeepAliveResponse;
import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.DeleteOption;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.LeaseOption;
import io.etcd.jetcd.options.PutOption;
import io.etcd.jetcd.options.WatchOption;
import io.etcd.jetcd.support.CloseableClient;
import io.etcd.jetcd.support.Observers;
import io.etcd.jetcd.watch.WatchEvent;
import io.etcd.jetcd.watch.WatchResponse;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Checks a server with jetcd: {@code Checks HOST:PORT [REGEX]}. Prints PASS or FAIL for each check and DONE at its
 * end.
 */
public final class Checks {
  private interface Body {
    void run() throws Exception;
  }

  private final Client client;
  private final KV kv;
  private final String prefix;

  private Checks(Client client, String prefix) {
    this.client = client;
    this.kv = client.getKVClient();
    this.prefix = prefix;
  }

  public static void main(String[] args) {
    Pattern pattern = Pattern.compile(args.length > 1 ? args[1] : "");
    int number = 0;
    for (String name : new Checks(null, "", true).all().keySet()) {
      if (!pattern.matcher("java " + name).find()) {
        continue;
      }
      try (Client client = Client.builder().endpoints("http://" + args[0]).build()) {
        new Checks(client, "java/" + number++ + "/").all().get(name).run();
        System.out.println("PASS " + name);
      } catch (Throwable error) {
        StringWriter text = new StringWriter();
        error.printStackTrace(new PrintWriter(text));
        String lines = text.toString().lines().limit(12).collect(Collectors.joining("\\n"));
        System.out.println("FAIL " + name + ": " + lines);
      }
    }
    System.out.println("DONE");
    System.exit(0);
  }

  /** Only to list the names. */
  private Checks(Client client, String prefix, boolean namesOnly) {
    this.client = client;
    this.kv = null;
    this.prefix = prefix;
  }

  private Map<String, Body> all() {
    Map<String, Body> checks = new LinkedHashMap<>();
    checks.put("put and get", this::putAndGet);
    checks.put("put with previous value", this::putWithPreviousValue);
    checks.put("get with options", this::getWithOptions);
    checks.put("delete", this::delete);
    checks.put("compaction", this::compaction);
    checks.put("txn", this::txn);
    checks.put("txn compares", this::txnCompares);
    checks.put("watch", this::watch);
    checks.put("watch from the past with previous values", this::watchFromThePast);
    checks.put("watch of a compacted revision", this::watchOfCompacted);
    checks.put("watch progress", this::watchProgress);
    checks.put("lease", this::lease);
    checks.put("lease keep-alive", this::leaseKeepAlive);
    checks.put("lease expiry", this::leaseExpiry);
    checks.put("lock service", this::lock);
    checks.put("election service", this::election);
    checks.put("members and status", this::membersAndStatus);
    checks.put("errors", this::errors);
    return checks;
  }

  // KV

  private void putAndGet() throws Exception {
    long first = put("a", "one").getHeader().getRevision();
    equal("next revision", put("a", "two").getHeader().getRevision(), first + 1);
    KeyValue found = get("a").getKvs().get(0);
    equal("value", text(found.getValue()), "two");
    equal("create revision", found.getCreateRevision(), first);
    equal("mod revision", found.getModRevision(), first + 1);
    equal("version", found.getVersion(), 2L);
    equal("nothing", get("none").getCount(), 0L);
  }

  private void putWithPreviousValue() throws Exception {
    put("a", "one");
    PutOption option = PutOption.builder().withPrevKV().build();
    PutResponse response = wait(kv.put(key("a"), bytes("two"), option));
    equal("has a previous value", response.hasPrevKv(), true);
    equal("previous value", text(response.getPrevKv().getValue()), "one");
  }

  private void getWithOptions() throws Exception {
    for (String name : List.of("b", "a", "c", "d")) {
      put(name, name);
    }
    GetOption.Builder all = GetOption.builder().isPrefix(true);
    equal("prefix", names(get("", all.build())), "abcd");
    GetOption descending = GetOption.builder()
        .isPrefix(true)
        .withSortField(GetOption.SortTarget.CREATE)
        .withSortOrder(GetOption.SortOrder.DESCEND)
        .withLimit(3)
        .build();
    GetResponse page = get("", descending);
    equal("newest first", names(page), "dca");
    equal("more", page.isMore(), true);
    equal("count", page.getCount(), 4L);
    equal("range", names(get("b", GetOption.builder().withRange(key("d")).build())), "bc");
    GetResponse counted = get("", GetOption.builder().isPrefix(true).withCountOnly(true).build());
    equal("count only", List.of(counted.getCount(), (long) counted.getKvs().size()), List.of(4L, 0L));
    long revision = put("b", "new").getHeader().getRevision();
    GetResponse past = get("b", GetOption.builder().withRevision(revision - 1).build());
    equal("the past", text(past.getKvs().get(0).getValue()), "b");
    equal("serializable", names(get("b", GetOption.builder().withSerializable(true).build())), "b");
  }

  private void delete() throws Exception {
    put("a", "one");
    put("b", "two");
    equal("deleted", wait(kv.delete(key("a"))).getDeleted(), 1L);
    equal("deleted again", wait(kv.delete(key("a"))).getDeleted(), 0L);
    DeleteOption option = DeleteOption.builder().isPrefix(true).withPrevKV(true).build();
    equal("previous value", text(wait(kv.delete(key(""), option)).getPrevKvs().get(0).getValue()), "two");
  }

  private void compaction() throws Exception {
    long first = put("a", "one").getHeader().getRevision();
    long last = put("a", "two").getHeader().getRevision();
    wait(kv.compact(last));
    GetOption past = GetOption.builder().withRevision(first).build();
    fails(() -> get("a", past), "etcdserver: mvcc: required revision has been compacted");
  }

  private void txn() throws Exception {
    put("a", "one");
    Cmp isOne = new Cmp(key("a"), Cmp.Op.EQUAL, CmpTarget.value(bytes("one")));
    Op putTwo = Op.put(key("a"), bytes("two"), PutOption.DEFAULT);
    Op read = Op.get(key("a"), GetOption.DEFAULT);
    TxnResponse yes = wait(kv.txn().If(isOne).Then(putTwo, read).Else(read).commit());
    equal("succeeded", yes.isSucceeded(), true);
    equal("its own write", text(yes.getGetResponses().get(0).getKvs().get(0).getValue()), "two");
    Op remove = Op.delete(key("a"), DeleteOption.DEFAULT);
    TxnResponse no = wait(kv.txn().If(isOne).Then(putTwo).Else(remove).commit());
    equal("succeeded", no.isSucceeded(), false);
    equal("deleted", no.getDeleteResponses().get(0).getDeleted(), 1L);
  }

  private void txnCompares() throws Exception {
    long revision = put("a", "m").getHeader().getRevision();
    equal("version", holds(new Cmp(key("a"), Cmp.Op.EQUAL, CmpTarget.version(1))), true);
    equal("mod", holds(new Cmp(key("a"), Cmp.Op.GREATER, CmpTarget.modRevision(revision))), false);
    equal("create", holds(new Cmp(key("a"), Cmp.Op.LESS, CmpTarget.createRevision(revision + 1))), true);
    equal("value", holds(new Cmp(key("a"), Cmp.Op.NOT_EQUAL, CmpTarget.value(bytes("n")))), true);
    equal("no key", holds(new Cmp(key("none"), Cmp.Op.EQUAL, CmpTarget.createRevision(0))), true);
  }

  // Watch

  private void watch() throws Exception {
    BlockingQueue<WatchResponse> responses = new LinkedBlockingQueue<>();
    WatchOption option = WatchOption.builder().isPrefix(true).withCreateNotify(true).build();
    try (Watch.Watcher watcher = client.getWatchClient().watch(key(""), option, responses::add)) {
      equal("created", next(responses).isCreatedNotify(), true);
      put("a", "one");
      put("b", "two");
      wait(kv.delete(key("a")));
      List<String> events = new ArrayList<>();
      while (events.size() < 3) {
        for (WatchEvent event : next(responses).getEvents()) {
          events.add(event.getEventType() + " " + name(event.getKeyValue()));
        }
      }
      equal("events", events, List.of("PUT a", "PUT b", "DELETE a"));
    }
    put("a", "three");
    equal("after the close", responses.poll(300, TimeUnit.MILLISECONDS), null);
  }

  private void watchFromThePast() throws Exception {
    long first = put("a", "0").getHeader().getRevision();
    for (int i = 1; i < 100; i++) {
      put("a", String.valueOf(i));
    }
    BlockingQueue<WatchResponse> responses = new LinkedBlockingQueue<>();
    WatchOption option = WatchOption.builder().withRevision(first).withPrevKV(true).build();
    try (Watch.Watcher watcher = client.getWatchClient().watch(key("a"), option, responses::add)) {
      int seen = 0;
      while (seen < 100) {
        for (WatchEvent event : next(responses).getEvents()) {
          equal("value", text(event.getKeyValue().getValue()), String.valueOf(seen));
          String previous = seen == 0 ? "" : String.valueOf(seen - 1);
          equal("previous value", text(event.getPrevKV().getValue()), previous);
          seen++;
        }
      }
    }
  }

  private void watchOfCompacted() throws Exception {
    long first = put("a", "one").getHeader().getRevision();
    long last = put("a", "two").getHeader().getRevision();
    wait(kv.compact(last));
    CompletableFuture<Throwable> failed = new CompletableFuture<>();
    WatchOption option = WatchOption.builder().withRevision(first).build();
    Watch.Listener listener = Watch.listener(response -> {}, failed::complete);
    try (Watch.Watcher watcher = client.getWatchClient().watch(key("a"), option, listener)) {
      CompactedException error = (CompactedException) wait(failed);
      equal("compacted revision", error.getCompactedRevision(), last);
    }
  }

  private void watchProgress() throws Exception {
    BlockingQueue<WatchResponse> responses = new LinkedBlockingQueue<>();
    WatchOption option = WatchOption.builder().withCreateNotify(true).build();
    try (Watch.Watcher watcher = client.getWatchClient().watch(key("a"), option, responses::add)) {
      next(responses);
      long revision = put("other", "1").getHeader().getRevision();
      watcher.requestProgress();
      WatchResponse progress = next(responses);
      equal("progress", progress.isProgressNotify(), true);
      equal("it has come that far", progress.getHeader().getRevision() >= revision, true);
    }
  }

  // Lease

  private void lease() throws Exception {
    Lease leases = client.getLeaseClient();
    long id = wait(leases.grant(100)).getID();
    wait(kv.put(key("a"), bytes("one"), PutOption.builder().withLeaseId(id).build()));
    var left = wait(leases.timeToLive(id, LeaseOption.builder().withAttachedKeys().build()));
    equal("time to live", left.getTTL() > 90 && left.getTTL() <= 100, true);
    equal("granted", left.getGrantedTTL(), 100L);
    equal("keys", text(left.getKeys().get(0)), prefix + "a");
    equal("the key's lease", get("a").getKvs().get(0).getLease(), id);
    wait(leases.revoke(id));
    equal("keys left", get("a").getCount(), 0L);
    fails(() -> wait(leases.revoke(id)), "etcdserver: requested lease not found");
  }

  private void leaseKeepAlive() throws Exception {
    Lease leases = client.getLeaseClient();
    long id = wait(leases.grant(3)).getID();
    wait(kv.put(key("a"), bytes("one"), PutOption.builder().withLeaseId(id).build()));
    equal("once", wait(leases.keepAliveOnce(id)).getTTL(), 3L);
    BlockingQueue<LeaseKeepAliveResponse> answers = new LinkedBlockingQueue<>();
    try (CloseableClient keeper = leases.keepAlive(id, Observers.observer(answers::add))) {
      long started = System.nanoTime();
      while (System.nanoTime() - started < 5_000_000_000L) {
        equal("time to live", next(answers).getTTL(), 3L);
      }
      equal("keys left", get("a").getCount(), 1L);
    }
  }

  private void leaseExpiry() throws Exception {
    Lease leases = client.getLeaseClient();
    BlockingQueue<WatchResponse> responses = new LinkedBlockingQueue<>();
    long started = System.nanoTime();
    long id = wait(leases.grant(2)).getID();
    long revision = wait(kv.put(key("a"), bytes("one"), PutOption.builder().withLeaseId(id).build()))
        .getHeader()
        .getRevision();
    WatchOption option = WatchOption.builder().withRevision(revision + 1).build();
    try (Watch.Watcher watcher = client.getWatchClient().watch(key("a"), option, responses::add)) {
      equal("event", next(responses).getEvents().get(0).getEventType(), WatchEvent.EventType.DELETE);
      equal("not early", System.nanoTime() - started >= 2_000_000_000L, true);
    }
  }

  // Services

  private void lock() throws Exception {
    long one = wait(client.getLeaseClient().grant(20)).getID();
    long two = wait(client.getLeaseClient().grant(20)).getID();
    ByteSequence held = wait(client.getLockClient().lock(key("lock"), one)).getKey();
    equal("the lock's key", text(held), prefix + "lock/" + Long.toHexString(one));
    var waiting = client.getLockClient().lock(key("lock"), two);
    try {
      waiting.get(300, TimeUnit.MILLISECONDS);
      throw new AssertionError("locked twice");
    } catch (TimeoutException expected) {
      wait(client.getLockClient().unlock(held));
    }
    ByteSequence next = wait(waiting).getKey();
    equal("the lock's key", text(next), prefix + "lock/" + Long.toHexString(two));
    wait(client.getLockClient().unlock(next));
  }

  private void election() throws Exception {
    var elections = client.getElectionClient();
    long lease = wait(client.getLeaseClient().grant(20)).getID();
    CampaignResponse won = wait(elections.campaign(key("election"), lease, bytes("one")));
    equal("name", text(won.getLeader().getName()), prefix + "election");
    equal("leader", text(wait(elections.leader(key("election"))).getKv().getValue()), "one");
    wait(elections.proclaim(won.getLeader(), bytes("one again")));
    equal("leader", text(wait(elections.leader(key("election"))).getKv().getValue()), "one again");
    wait(elections.resign(won.getLeader()));
    fails(() -> wait(elections.leader(key("election"))), "NoLeaderException");
  }

  private void membersAndStatus() throws Exception {
    var members = wait(client.getClusterClient().listMember()).getMembers();
    equal("members", members.size(), 1);
    equal("name", members.get(0).getName(), "suite");
    var status = wait(client.getMaintenanceClient().statusMember(members.get(0).getClientURIs().get(0).toString()));
    equal("version", status.getVersion(), "3.7.3");
    equal("alarms", wait(client.getMaintenanceClient().listAlarms()).getAlarms().size(), 0);
  }

  private void errors() throws Exception {
    fails(() -> wait(kv.put(bytes(""), bytes("v"))), "etcdserver: key is not provided");
    PutOption unknownLease = PutOption.builder().withLeaseId(12345).build();
    fails(() -> wait(kv.put(key("a"), bytes("v"), unknownLease)), "etcdserver: requested lease not found");
  }

  // Small things

  private ByteSequence key(String name) {
    return bytes(prefix + name);
  }

  private String name(KeyValue found) {
    return text(found.getKey()).substring(prefix.length());
  }

  private String names(GetResponse response) {
    StringBuilder names = new StringBuilder();
    response.getKvs().forEach(found -> names.append(name(found)));
    return names.toString();
  }

  private PutResponse put(String name, String value) throws Exception {
    return wait(kv.put(key(name), bytes(value)));
  }

  private GetResponse get(String name) throws Exception {
    return wait(kv.get(key(name)));
  }

  private GetResponse get(String name, GetOption option) throws Exception {
    return wait(kv.get(key(name), option));
  }

  private boolean holds(Cmp compare) throws Exception {
    return wait(kv.txn().If(compare).commit()).isSucceeded();
  }

  private static ByteSequence bytes(String text) {
    return ByteSequence.from(text, UTF_8);
  }

  private static String text(ByteSequence bytes) {
    return bytes.toString(UTF_8);
  }

  private static <T> T wait(CompletableFuture<T> future) throws Exception {
    return future.get(15, TimeUnit.SECONDS);
  }

  private static <T> T next(BlockingQueue<T> queue) throws Exception {
    T item = queue.poll(15, TimeUnit.SECONDS);
    if (item == null) {
      throw new AssertionError("nothing came within 15 s");
    }
    return item;
  }

  private static void equal(String what, Object got, Object want) {
    if (got == null ? want != null : !got.equals(want)) {
      throw new AssertionError(what + " is " + got + ", want " + want);
    }
  }

  private static void fails(Body body, String text) throws Exception {
    try {
      body.run();
    } catch (ExecutionException error) {
      if (String.valueOf(error.getMessage()).contains(text)) {
        return;
      }
      throw error;
    }
    throw new AssertionError("no error, want " + text);
  }
}
