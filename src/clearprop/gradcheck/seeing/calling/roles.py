"""What an argument is for, by its name: in the languages that learners write."""

import inspect
import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

Role: TypeAlias = str
"""``inputs``, ``targets``, ``rate``, ``sizes`` and so on, as in the tables here."""

_DATA = r"(train(ing)?_|batch_|mini_?batch_|tr_|test_|val(id(ation)?)?_|dev_|eval_)?"
_CALLED: tuple[tuple[Role, str], ...] = (
    ("path", r"(^|_)(path|file|file_?name|fname|dir|directory|folder)$"),
    ("settings", r"[a-z]_param$"),
    ("keep", r"keep|prob_?on"),
    ("drop", r"drop"),
    (
        "quiet",
        r"print|verb|plot|debug|show|display|^log(?!it)|every|interval|draw|graph|animat|save|progress",
    ),
    ("flag", r"^(want|use|has|is|with|include)_"),
    ("seed", r"seed|random_state|^rng$"),
    (
        "pairs",
        r"^(train(ing|_set)?_?data|data_?train\w*|data_?set|mini_?batch|data|training_set|train_set|pairs|pares"
        r"|examples|exemplos|ejemplos|test_data|evaluation_data|validation_data|dados|datos)$",
    ),
    ("loader", r"loader$|^batches$|^lotes$"),
    ("batch", r"batch_?(size|n|len)|tam\w*_(lote|batch)|size_?batch|^lote$|^mini_?batch_?size"),
    (
        "vector",
        r"^(theta|thetas|nn_params?|params_?vec\w*|w_?flat|theta_?(vec\w*|all|flat)|weights_?vec\w*)$",
    ),
    (
        "rate",
        r"learn|^lr\w*$|_lr$|^alpha$|^eta$|(^|_)rate|step_?size|taxa|tasa|taux|aprend|apprent|wspolcz|uczenia|lernrate|^epsilon$",
    ),
    (
        "epochs",
        r"epoch|ephoc|epch|iter|^steps$|n_steps|num_steps|passes|rounds|epoca|epoque|iterac|repet|generations",
    ),
    ("decay", r"(^|_)reg|lamb|lamda|^lam$|lmbda|decay|^l[12]|_l[12]$|weight_penalty|^c$|penal"),
    ("momentum", r"moment|^beta\d?$|^b[12]eta$|^mu$|^rho$|^gamma_?m$"),
    ("tiny", r"^eps(ilon)?\d?$|^tol\w*$|accuracy|^acc$|thresh|precis"),
    (
        "settings",
        r"^(h_?param\w*|conv_?param\w*|pool_?param\w*|bn_?param\w*|conf(ig\w*)?|cfg|settings|options|drop_?param|hyper\w*)$",
    ),
    (
        "activation",
        r"^(?!.*(grad|delta|err)).*activ(?!ations$)|non_?lin|^act$|act_?f|^ativ|fun\w*_ativ|^transfer",
    ),
    (
        "function",
        r"(^|_)(fn|func|function|funcion|funcao|fonction|f|prime|derivative|d?sigmoid)$|^f_|_prime$",
    ),
    (
        "loss",
        r"^(loss|cost|error)_?(f\w*|type|name|class|obj)|^criterion$|^loss_?(kind|mode)$|^cost$|^loss$",
    ),
    ("optimizer", r"optim"),
    ("time", r"^(t|time|step)_?(step)?$"),
    ("layer", r"^(l|layer|layer_?(index|num\w*|i|idx)|i|idx|k)$"),
    (
        "parameters",
        r"^(param\w*|model|parametr\w*|net\w*|wb|pesos|poids|theta_?dict|weights_?(dict|and_biases)|rede|red)$",
    ),
    (
        "cache",
        r"^(\w*cache\w*|memory|forward\w*|ativacoes|activaciones|activations|intermediate\w*|stored|store|mem)$",
    ),
    (
        "gradients",
        r"^(grads?_?(dict)?|gradients|nablas?|grad(ient)?es|derivatives|d_params|derivadas)$",
    ),
    (
        "targets",
        rf"^{_DATA}(y|t|ys|ts|labels?|targets?(_(data|list|vec\w*|array))?|y_?true|expected\w*|desired\w*|y_?(batch|t|tr|enc|real|oh"
        r"|one_?hot|actual|train\w*|test|val\w*|dev|d|label|target|data)|one_?hot\w*|ground_?truth|gt|actual\w*|truth"
        r"|true\w*|\w+_true|answers?|correct\w*|teacher|yd|y_?[a-z]?|real\w*|outputs?_(expected|true|desired|target))$"
        r"|^(train\w*|test|val\w*|dev)_(y|outputs?|labels|targets)$|^(x|y)?_?target|^y_train|^train_?y|desej|desead|esperad|voulu|attendu|erwart|alvos?$|objetivo|etiquet|rotulo|cibles?$"
        r"|^(saidas|salidas|sorties)$|^labels?_?|^target|train(ing)?_(set_)?(labels|outputs?|y|targets)",
    ),
    (
        "inputs",
        rf"^{_DATA}(x|xs|a_?0|inputs?(_(data|list|vec\w*|array))?|features?|images?|imgs?|samples?|batch|inp|signal|sample|l_?0|row"
        r"|x_?(batch|t|tr|in|data|input|test|val\w*|dev|train\w*|norm|[a-z])|xi|x_?\d|input_?(data|list|vector|s|array|layer|x"
        r"|val\w*|images?)|in_data|entrad\w*|entree\w*|amostras?|padr\w*|eingab\w*|donnees|vector|a_?prev\w*"
        r"|prev_?(?!h)\w*|input_tensor|net_?inputs?|h_?prev_?layer|layer_?input)$|^x_train|^train_?x"
        r"|train(ing)?_(set_)?(inputs?|data|images|features|x)",
    ),
    (
        "outputs",
        r"^(?!.*(grad|delta|err|loss))(a_?l|a\d|y_?(hat|h|pred\w*|p|out|cap)|yhat|out(put)?s?\w*|pred\w*|p|probs?\w*|h|logits|hypothesis"
        r"|scores?|probas?|saida|salida|sortie\w*|o|result\w*|softmax_out\w*|final_out\w*|y_?prob\w*|hx|ao)$",
    ),
    (
        "upstream",
        r"^(d_?out(_?(put)?_?(error|grad|gradient|delta)?)?|d_?val(ue)?s?|grad\w*|error\w*|err\w*|delta\w*|d_?a\w*"
        r"|d_?l\w*|d_?y\w*|d_?z\w*|d_?h\w*|upstream\w*|accum_?grad\w*|loss_?grad\w*|next_\w*|d_?inputs?|e|erro|g"
        r"|d_?next\w*|\w+_grad(ient)?|output_(error|grad\w*|delta)|d_?x|d_?s|d_?c\w*|out_grad\w*|top_?diff|dj\w*|d_?loss)$",
    ),
    ("count", r"^(m|n|n_?samples|n_?train|num_?(samples|examples)|m_train|size|n_?examples)$"),
    (
        "bias",
        r"^(b_?(\d?|in(i|it)?)|b_?[a-z]{1,2}|bias(es)?\w*|b_\w+|bi\w*s|[a-z_]+_bi(as|ais)|beta|sesgos?|vies\w*)$",
    ),
    (
        "weight",
        r"^(w_?(\d?|in(i|it)?)|w_?[a-z]{1,3}|weights?\w*|w_\w+|theta_?\d|syn_?\d|u|v|gamma|pesos?\w*|poids\w*|kernels?|filters?|[a-z_]+_(weights?|pesos|poids))$",
    ),
    ("state", r"^(h_?\w*|c_?prev\w*|hidden\w*|cell\w*|state\w*)$"),
    ("inputs", r"(^|_)x(_|$)"),
    ("targets", r"(^|_)y(_|$)"),
)
"""Roles of arguments of functions and methods; the first that matches counts."""

_MADE: tuple[tuple[Role, str], ...] = (
    *_CALLED[:7],
    ("count", r"^n_?cells$|^num_?cells$"),
    ("shape", r"(^|_)(in|input|data|image)_?shape$|shape_?in$"),
    ("objects", r"^(layers?|modules|layer_?list)$"),
    ("batch", r"batch(?!es)"),
    (
        "sizes",
        r"(^(n_?|num_?)?layers?_?(dim(ension)?s?|sizes?|structure|shape|units|nodes|list|conf\w*)$)|^sizes?$|^dims?$|^dimensions?$|layers_?dim"
        r"|topolog|architect|struct|^shape$|n_units|nodes_?per|layer_?list|^(neurons|units)(_per_layer)?$"
        r"|network_?(size|shape|dims?)|hidden_(layers?|dims|sizes|sizes?_list|layer_sizes|units_list)_?(list)?$"
        r"|^layers?$|layer_?info|^(capas|camadas|couches|schichten|neuronas|neuronios)$|arquit|^nodes$"
        r"|encoder_dims|^net(work)?$|list_?(of_)?(neurons|nodes|units|layers|sizes)|taille|tamanho|tamano|groess|neuron\w*_(list|por|per|par)|tam\w*_(camadas|capas)",
    ),
    (
        "depth",
        r"^(n|nb|num|number)_?(of_?)?(hidden_?)?layers?$|^depth$|^l$|n_?hidden_?layers"
        r"|^(num|nb|nombre|qtd|quant|cant|liczba|anzahl)[a-z_]*_(camadas|capas|couches|schichten|warstw)",
    ),
    (
        "filters",
        r"filters?$|n_?filters?|kernels?$|out_?(channels?|ch|maps)|^depth$|num_?(filters|kernels)|n_?c$",
    ),
    ("channels", r"in_?(channels?|ch|maps|depth)|^channels?$|input_(channels?|depth)|n_?c_?prev"),
    (
        "window",
        r"(filter|kernel|pool|window)_?(size|dim|shape|width|height|w|h)?$|^(f|k|ksize|fs)$|pool_?(h|w)",
    ),
    ("stride", r"strid|^s$"),
    ("pad", r"pad"),
    ("length", r"seq\w*_?(len\w*|size)?|time_?steps|^t$|bptt"),
    *(one for one in _CALLED if one[0] in ("rate", "epochs", "decay", "momentum", "activation")),
    *(one for one in _CALLED if one[0] in ("loss", "optimizer")),
    ("features", r"^(?!.*(hid|ocult|cach|escond)).*(entrad|entree|input|eingab)"),
    ("classes", r"^(?!.*(hid|ocult|cach|escond)).*(salida|saida|sortie|output|ausgab)"),
    (
        "hidden",
        r"hid|cell|escond|^n_?h\d?$|^h\d?$|hnodes|^n_?1$|middle|ocult|cachee|^units$|neur|intermed|latent",
    ),
    (
        "features",
        r"^(n_?x|x_?dim|in|in_?(?!it)\w*|input_?\w*|n_?in\w*|n_?features?|n_?dim|num_?(in|feat)\w*|fan_?in|d_?in|d|nb_?in\w*"
        r"|no_?of_?in\w*|inodes?|inputs?|inputnodes?|n_?0|features?|dim_?in|ni|n|(n_?)?entrad\w*|num_entrad\w*|entree\w*"
        r"|prev\w*|vocab\w*|n_?rows|rows|size_?in\w*|n_?visible|x_?size|dim)$",
    ),
    (
        "classes",
        r"^(n_?y|y_?dim|out|out_?\w*|output_?\w*|n_?out\w*|n_?class\w*|num_?(out|class|label)\w*|fan_?out|d_?out|c|nb_?out\w*"
        r"|no_?of_?out\w*|onodes?|outputs?|outputnodes?|n_?2|n_?3|classes|k|dim_?out|no|(n_?)?(saida|salida|sortie)\w*|num_saida\w*"
        r"|labels?|n_?col(umn)?s|size_?out\w*|m|next\w*)$",
    ),
    *(one for one in _CALLED if one[0] in ("function", "tiny", "settings")),
    *(one for one in _CALLED if one[0] in ("pairs", "targets", "inputs", "parameters")),
    *(one for one in _CALLED if one[0] in ("weight", "bias")),
)
"""Roles of arguments of what makes a network: a constructor, or a function that draws weights."""

_COMPILED = {
    making: [(role, re.compile(pattern)) for role, pattern in table]
    for making, table in ((False, _CALLED), (True, _MADE))
}


def snake(name: str) -> str:
    """Write ``hiddenSize`` as ``hidden_size``, ``dW`` as ``d_w``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")


def role_of(name: str, making: bool = False) -> Role | None:
    """Return what an argument of that name is for.

    Parameters
    ----------
    name : str
    making : bool
        Whether it is an argument of what makes a network.
    """
    text = snake(name)
    found = next((role for role, pattern in _COMPILED[making] if pattern.search(text)), None)
    if not making and found == "time" and name.lower() == "t":
        return "targets"
    return found


def roles_of(names: Sequence[str], making: bool = False) -> dict[str, Role | None]:
    """Return what the arguments of a function are for, each in the light of the others."""
    roles = {name: role_of(name, making) for name in names}
    if "gamma" in names and "beta" in names:  # of batch normalization
        roles |= {"gamma": "weight", "beta": "bias"}
    if making:
        return roles
    if "grad" in names and not {"parameters", "weight", "bias", "upstream"} & set(roles.values()):
        roles["grad"] = "upstream"  # with no parameters beside it that take a step
    targets = [name for name in names if roles[name] == "targets"]
    if len(targets) > 1 and "inputs" not in roles.values():
        # Of ``cost(y, t)`` and ``loss(y, labels)`` the first is what the network says.
        said = next((name for name in targets if name in ("y", "Y")), None)
        if said is not None and "outputs" not in roles.values():
            roles[said] = "outputs"
    if not targets and "outputs" in roles.values() and "inputs" in roles.values():
        last = [name for name in names if roles[name] == "outputs"]
        if len(last) == 1 and snake(last[0]) in (
            "outputs",
            "output",
            "out",
            "o",
            "salida",
            "saida",
            "sortie",
        ):
            roles[last[0]] = "targets"
    if "pairs" in roles.values() and "targets" in roles.values():
        # ``train(data, labels)``: data are inputs there.
        roles = {name: "inputs" if role == "pairs" else role for name, role in roles.items()}
    return roles


FORWARD = re.compile(
    r"forw|fwd|feed|^_*f_?prop|bottom_data|x_list_add|predict|think|query|^run$|^run_|^outputs?$|compute_y|__call__|hypothesis|^_?f_|inference|activate$"
    r"|scores?$|^propag|^avan|evalua|^predi|salida$|sortie$|saida$|^step$|^call$|^apply$|calculate|net_input|linear_model|^model$",
    re.I,
)
BACKWARD = re.compile(
    r"back|(?<!zero_)(?<!zero)(?<!clip_)grad(?!_?check)|^b_|^_*b_?prop|^bp(tt)?$|top_diff|y_list_is|deriv|delta|retro|propaga\w*_(atras|arriere|tras)|prime|^rueck|nabla|(?-i:^d[A-Z]\w*$)",
    re.I,
)
TRAINING = re.compile(
    r"^_?train|fit$|^fit|^_?fit|sgd|learn|optimi[sz]e|gradient_?descent|nn_model|neural_?net|reseau|artificial"
    r"|l_layer_model|two_layer|descent|update_mini|_train|entren|trein|entrain|descente|descenso|descida"
    r"|aprend|^model$|^epoch|training|^run$|trainieren|lernen|ajust|^_?ucze?n|trenuj|allena|addestra|egit|obuch",
    re.I,
)
COST = re.compile(
    r"cost|loss|error|entropy|mse|perda|custo|costo|perdida|cout|perte|criterion|fehler|nll", re.I
)
UPDATING = re.compile(
    r"updat|^step|maj|mise_a|atualiz|actualiz|apply|optimi[sz]e|descent|adjust|^sgd", re.I
)
STARTING = re.compile(
    r"init|^param_|make_w|create|inicial|build|xavier|rand\w*_w|random_w|^weights$|setup|get_w",
    re.I,
)
ELEMENTWISE = re.compile(
    r"relu|sigm|tanh|softm|softplus|(?-i:linear)$|identity|step_func|^elu|swish|gelu|activation",
    re.I,
)
CHECKING = re.compile(
    r"check|numer|accura|plot|show|print|save|load|test|evaluat|score$|confusion|visual|draw|display",
    re.I,
)
"""Names of functions by what they do."""


def goes_forward(name: str) -> bool:
    """Whether a function goes forward through a network, by its name."""
    other = BACKWARD.search(name) or ELEMENTWISE.search(name) or STARTING.match(name)
    return FORWARD.search(name) is not None and not other


def is_cost(name: str) -> bool:
    """Whether a function computes a cost and nothing else, by its name."""
    return COST.search(name) is not None and not (BACKWARD.search(name) or TRAINING.search(name))


def trains(name: str, function: Callable[..., object]) -> bool:
    """Whether a function trains, by its name, or because it is told how often."""
    if CHECKING.search(name) or re.match("_*(set|get|has|is)_", name):
        return False
    try:
        asked = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return False
    if "epochs" in roles_of(asked).values():
        return True
    return TRAINING.search(name) is not None and not re.search("back|forw", name, re.I)
