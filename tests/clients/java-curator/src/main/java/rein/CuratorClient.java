package rein;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.HashMap;
import java.util.Map;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryForever;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.curator.x.discovery.ServiceProvider;
import org.apache.curator.x.discovery.strategies.RoundRobinStrategy;

/**
 * Services that find each other by Curator's service discovery, as they do without Rein: some that register
 * themselves, and one that asks its ServiceProvider whom to call, every 10 ms. Speaks the line protocol
 * described in ../../python/lines.py, with these settings and commands:
 *
 * <pre>
 * {"servers": "HOST:PORT", "base": PATH, "service": NAME, "register": [ID...], "zone": TEXT,
 *  "watch": BOOL}   watch: each reads what others write into its own entry, and registers so from then on
 * {"calls": true}   how often each was given since this was asked last    -> {"seen": {ID: N}}
 * {"again": ID}     registers anew, as after a lost connection            -> {"done": true}
 * </pre>
 */
public final class CuratorClient {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        JsonNode given = JSON.readTree(arguments[0]);
        String base = given.get("base").asText();
        String service = given.get("service").asText();
        CuratorFramework client = CuratorFrameworkFactory.newClient(
                given.get("servers").asText(), 5000, 5000, new RetryForever(200));
        client.start();
        client.blockUntilConnected();
        Map<String, ServiceInstance<Map>> own = new HashMap<>();
        ServiceDiscovery<Map> discovery = ServiceDiscoveryBuilder.builder(Map.class)
                .client(client)
                .basePath(base)
                .watchInstances(given.path("watch").asBoolean())
                .build();
        discovery.start();
        int port = 8000;
        for (JsonNode id : given.get("register")) {
            ServiceInstance<Map> one = ServiceInstance.<Map>builder()
                    .name(service)
                    .id(id.asText())
                    .address("10.0.0.7")
                    .port(port++)
                    .payload(Map.of("zone", given.get("zone").asText(), "version", "v2.4"))
                    .build();
            own.put(one.getId(), one);
            discovery.registerService(one);
        }
        ServiceProvider<Map> provider = discovery.serviceProviderBuilder()
                .serviceName(service)
                .providerStrategy(new RoundRobinStrategy<>())
                .build();
        provider.start();
        Map<String, Integer> seen = new HashMap<>();
        Thread caller = new Thread(() -> {
            while (true) {
                String who;
                try {
                    ServiceInstance<Map> one = provider.getInstance();
                    who = one == null ? "nobody" : one.getId();
                    Thread.sleep(10);
                } catch (Exception error) {
                    who = "failed";
                }
                synchronized (seen) {
                    seen.merge(who, 1, Integer::sum);
                }
            }
        });
        caller.setDaemon(true);
        caller.start();
        say(Map.of("ready", true));
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonNode asked = JSON.readTree(line);
            if (asked.has("again")) {
                ServiceInstance<Map> one = own.get(asked.get("again").asText());
                discovery.unregisterService(one);
                discovery.registerService(one);
                say(Map.of("done", true));
            } else {
                Map<String, Integer> now;
                synchronized (seen) {
                    now = new HashMap<>(seen);
                    seen.clear();
                }
                say(Map.of("seen", now));
            }
        }
        System.exit(0);
    }

    private static void say(Object answer) throws Exception {
        System.out.println(JSON.writeValueAsString(answer));
        System.out.flush();
    }

    private CuratorClient() {}
}
