package rein;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.openfeature.contrib.providers.flagd.Config;
import dev.openfeature.contrib.providers.flagd.FlagdOptions;
import dev.openfeature.contrib.providers.flagd.FlagdProvider;
import dev.openfeature.sdk.Client;
import dev.openfeature.sdk.FlagEvaluationDetails;
import dev.openfeature.sdk.MutableContext;
import dev.openfeature.sdk.OpenFeatureAPI;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/**
 * A service that asks flagd's in-process provider for Java. Speaks the line protocol described in
 * ../python/lines.py.
 */
public final class FlagdClient {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Client client;
    private final boolean fallback;

    private FlagdClient(Client client, boolean fallback) {
        this.client = client;
        this.fallback = fallback;
    }

    public static void main(String[] arguments) throws Exception {
        JsonNode given = JSON.readTree(arguments[0]);
        FlagdOptions.FlagdOptionsBuilder options = FlagdOptions.builder()
                .resolverType(Config.Resolver.IN_PROCESS)
                .host(given.get("host").asText())
                .port(given.get("port").asInt())
                .deadline(5000);
        if (given.hasNonNull("selector")) {
            options.selector(given.get("selector").asText());
        }
        if (given.hasNonNull("provider_id")) {
            options.providerId(given.get("provider_id").asText());
        }
        OpenFeatureAPI api = OpenFeatureAPI.getInstance();
        api.setProviderAndWait(new FlagdProvider(options.build()));
        FlagdClient service = new FlagdClient(api.getClient(), given.get("default").asBoolean());
        System.out.println(JSON.createObjectNode().put("ready", true));
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(service.answer(JSON.readTree(line)));
        }
        // The provider's own threads would keep the process.
        System.exit(0);
    }

    private ObjectNode answer(JsonNode command) {
        JsonNode context = command.path("context");
        if (command.has("eval")) {
            JsonNode key = command.get("key");
            return evaluate(command.get("eval").asText(), key == null ? null : key.textValue(), context);
        }
        StringBuilder bits = new StringBuilder();
        for (int n = 0; n < command.get("keys").asInt(); n++) {
            boolean value = evaluate(command.get("share").asText(), "user-" + n, context).get("value").asBoolean();
            bits.append(value ? '1' : '0');
        }
        long off = bits.chars().filter(bit -> bit == '0').count();
        return JSON.createObjectNode().put("false", off).put("bits", bits.toString());
    }

    private ObjectNode evaluate(String flag, String key, JsonNode attributes) {
        MutableContext context = key == null ? new MutableContext() : new MutableContext(key);
        attributes.fields().forEachRemaining(entry -> context.add(entry.getKey(), entry.getValue().asText()));
        FlagEvaluationDetails<Boolean> details = client.getBooleanDetails(flag, fallback, context);
        ObjectNode said = JSON.createObjectNode()
                .put("value", details.getValue())
                .put("reason", details.getReason())
                .put("variant", details.getVariant());
        if (details.getErrorCode() != null) {
            said.put("error", details.getErrorCode() + ": " + details.getErrorMessage());
        }
        return said;
    }
}
